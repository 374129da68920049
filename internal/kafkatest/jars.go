//go:build unix

package kafkatest

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// artifact is a Maven coordinate.
type artifact struct {
	Group   string `xml:"groupId"`
	Name    string `xml:"artifactId"`
	Version string `xml:"version"`
}

// CacheDir is where jars are kept between runs, outside any checkout:
// $XDG_CACHE_HOME/kafkactl-test, or the system's place for caches.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	return filepath.Join(dir, "kafkactl-test"), nil
}

// BrokerClassPath fetches the jars that run a broker of release v, unless they
// are there already, and returns Java's class path for them.
func BrokerClassPath(ctx context.Context, v Version) (string, error) {
	need := []artifact{{"org.apache.kafka", "kafka_" + v.scala(), v.String()}}
	switch {
	case v.Before(0, 10, 1):
	case v.Before(2):
		// These do not carry what they load at run time on Java 9 and later.
		need = append(need,
			artifact{"javax.xml.bind", "jaxb-api", "2.3.1"},
			artifact{"log4j", "log4j", "1.2.17"},
			artifact{"org.slf4j", "slf4j-log4j12", "1.7.36"})
	case v.Before(2, 4):
		// ZooKeeper 3.4.13's client cannot take its server's address apart on
		// Java 14 and later; a direct dependency beats the one of the broker.
		need = append(need,
			artifact{"org.apache.zookeeper", "zookeeper", "3.4.10"},
			artifact{"log4j", "log4j", "1.2.17"},
			artifact{"org.slf4j", "slf4j-log4j12", "1.7.36"})
	case v.Before(2, 6):
		need = append(need,
			artifact{"log4j", "log4j", "1.2.17"},
			artifact{"org.slf4j", "slf4j-log4j12", "1.7.36"})
	default:
		need = append(need, artifact{"org.slf4j", "slf4j-simple", "1.7.36"})
	}
	return classPath(ctx, "broker-"+v.String(), need)
}

// ToolsClassPath fetches the jars that run the Java command line tools of
// release v. Releases before 2.8 keep most tools in the broker's own jar; 4.4.0
// publishes none that resolve, so it gets those of 4.3.1.
func ToolsClassPath(ctx context.Context, v Version) (string, error) {
	if v.Before(2, 8) {
		return BrokerClassPath(ctx, v)
	}
	tools := v
	if !v.Before(4, 4) {
		tools, _ = ParseVersion("4.3.1")
	}
	return classPath(ctx, "tools-"+tools.String(), []artifact{
		{"org.apache.kafka", "kafka_" + tools.scala(), tools.String()},
		{"org.apache.kafka", "kafka-tools", tools.String()},
		{"org.slf4j", "slf4j-simple", "1.7.36"},
	})
}

// classPath returns the class path of the cached set of jars called name,
// fetching it first if need be. A set appears whole or not at all, and two
// processes that want the same set fetch it once.
func classPath(ctx context.Context, name string, need []artifact) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	jars := filepath.Join(cache, "jars", name)
	if isDir(jars) {
		return filepath.Join(jars, "*"), nil
	}
	if err := os.MkdirAll(filepath.Dir(jars), 0o755); err != nil {
		return "", fmt.Errorf("make the jar cache: %w", err)
	}
	unlock, err := lockFile(jars + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if isDir(jars) {
		return filepath.Join(jars, "*"), nil
	}
	if err := fetch(ctx, jars, need); err != nil {
		return "", fmt.Errorf("fetch the jars of %s: %w", name, err)
	}
	return filepath.Join(jars, "*"), nil
}

// pom is the least Maven needs to resolve and copy dependencies.
type pom struct {
	XMLName      xml.Name   `xml:"project"`
	ModelVersion string     `xml:"modelVersion"`
	Group        string     `xml:"groupId"`
	Name         string     `xml:"artifactId"`
	Version      string     `xml:"version"`
	Dependencies []artifact `xml:"dependencies>dependency"`
}

// fetch has Maven copy need, and all that it needs, into the directory jars.
func fetch(ctx context.Context, jars string, need []artifact) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("maven is not installed: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(jars), ".fetch-")
	if err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	defer os.RemoveAll(work)
	text, err := xml.Marshal(pom{
		ModelVersion: "4.0.0", Group: "kafkatest", Name: "jars", Version: "1", Dependencies: need,
	})
	if err != nil {
		return fmt.Errorf("write the pom: %w", err)
	}
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), text, 0o644); err != nil {
		return fmt.Errorf("write the pom: %w", err)
	}
	out := filepath.Join(work, "jars")
	cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+out)
	cmd.Dir = work
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("maven: %w\n%s", err, strings.TrimSpace(said.String()))
	}
	if err := os.Rename(out, jars); err != nil {
		return fmt.Errorf("keep the jars: %w", err)
	}
	return nil
}

// lockFile takes an exclusive lock that dies with the process. The file stays:
// removing it would let a second holder in.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
