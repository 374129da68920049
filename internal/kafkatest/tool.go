//go:build unix

package kafkatest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Tool prepares a run of one of Kafka's own Java programs, in the release v,
// with modest memory. Its temporary files go to a directory the caller removes.
func Tool(ctx context.Context, v Version, tmp, class string, args ...string) (*exec.Cmd, error) {
	path, err := ToolsClassPath(ctx, v)
	if err != nil {
		return nil, err
	}
	return javaCommand(ctx, path, tmp, class, args...)
}

func javaCommand(ctx context.Context, classPath, tmp, class string, args ...string) (*exec.Cmd, error) {
	bin, err := java()
	if err != nil {
		return nil, err
	}
	argv := append([]string{"-Xmx192m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Djava.io.tmpdir=" + tmp, class}, args...)
	cmd := exec.CommandContext(ctx, bin, argv...)
	cmd.Env = append(os.Environ(), "CLASSPATH="+classPath)
	return cmd, nil
}

// runJava runs a short Java program and returns what it printed.
func runJava(ctx context.Context, classPath, class string, args ...string) (string, error) {
	tmp, err := os.MkdirTemp("", "kafkatest-java-")
	if err != nil {
		return "", fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(tmp)
	cmd, err := javaCommand(ctx, classPath, tmp, class, args...)
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", class, err, strings.TrimSpace(said.String()))
	}
	return said.String(), nil
}
