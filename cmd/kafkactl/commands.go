package main

import "github.com/spf13/cobra"

// commands lists what hangs from root, in the order help shows them.
func commands(e *env) []*cobra.Command {
	return []*cobra.Command{
		newProduceCmd(e),
		newConsumeCmd(e),
		newTailCmd(e),
		newOffsetsCmd(e),
		newGroupsCmd(e),
		newMetadataCmd(e),
		newDevCmd(e),
		newCompletionCmd(e),
		newVersionCmd(e),
	}
}
