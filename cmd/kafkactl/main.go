// Command kafkactl is a kcat-style suite for Apache Kafka: lines into topics,
// topics onto standard output, and a look at the cluster in between.
package main

import (
	"context"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the exit itself.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	e := newEnv(in, out, errOut)
	defer e.close()
	ctx, stop := watchSignals(context.Background(), e.kill, e.waiting)
	defer stop()
	defer watchAsked(e)()
	err := execute(ctx, e, args)
	return e.finish(ctx, err)
}
