package main

import "github.com/spf13/cobra"

// offsetsChangeCmds are the commands that change what groups have stored, and
// those that carry it elsewhere.
func offsetsChangeCmds(e *env) []*cobra.Command {
	return []*cobra.Command{
		newOffsetsCommitCmd(e),
		newOffsetsSeekCmd(e),
		newOffsetsUndoCmd(e),
		newOffsetsExportCmd(e),
		newOffsetsImportCmd(e),
		newOffsetsCopyCmd(e),
		newOffsetsDeleteCmd(e),
	}
}
