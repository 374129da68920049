package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// stay keeps the shell from offering files, and from ending the word.
const stay = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace

// positionWords are the positions that completion offers, with a word about each.
func positionWords() []string {
	return []string{
		"start\tof the partition", "end\tof the partition", "end-10\tthe last ten", "-1h\tan hour ago", "now",
		"max-timestamp\tthe record with the highest one", "stored\twhat the group has stored",
	}
}

// completeTargets completes TOPIC, TOPIC:PARTITION and the positions of a range
// behind @ and behind its two dots.
func (e *env) completeTargets(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if topic, span, ok := strings.Cut(word, "@"); ok {
		done, at := topic+"@", span
		if left, right, ok := strings.Cut(span, ".."); ok {
			done, at = done+left+"..", right
		}
		return positionsFrom(cmd, done, at), stay
	}
	if topic, parts, ok := strings.Cut(word, ":"); ok {
		return e.partitionsFrom(cmd, topic, parts, ""), stay
	}
	if begun, ok := strings.CutPrefix(word, "^"); ok {
		words := e.topicsFrom(e.forCompletion(cmd), nil, begun)
		for i := range words {
			words[i] = "^" + words[i] // a name is a regular expression, if a loose one
		}
		return words, stay
	}
	return e.topicsFrom(e.forCompletion(cmd), args, word), stay
}

// completeCommits completes TOPIC:PARTITION=.
func (e *env) completeCommits(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if strings.Contains(word, "=") {
		return nil, stay
	}
	if topic, parts, ok := strings.Cut(word, ":"); ok {
		return e.partitionsFrom(cmd, topic, parts, "="), stay
	}
	return e.topicsFrom(e.forCompletion(cmd), args, word), stay
}

// completePositions completes a position by itself.
func completePositions(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return positionsFrom(cmd, "", word), cobra.ShellCompDirectiveNoFileComp
}

// positionsFrom are the positions that begin with at, behind what is done. Only
// with a group there is a stored one.
func positionsFrom(cmd *cobra.Command, done, at string) []string {
	group := cmd.Flag("group")
	var words []string
	for _, pos := range positionWords() {
		if !strings.HasPrefix(pos, at) || strings.HasPrefix(pos, "stored") && (group == nil || group.Value.String() == "") {
			continue
		}
		words = append(words, done+pos)
	}
	return words
}

// partitionsFrom are a topic's partitions behind what is typed of a list: 0,2-4
// is completed after its last comma or dash.
func (e *env) partitionsFrom(cmd *cobra.Command, topic, parts, end string) []string {
	snap := e.forCompletion(cmd, topic)
	if snap == nil {
		return nil
	}
	t, ok := snap.Topic(topic)
	if !ok {
		return nil
	}
	last := strings.LastIndexAny(parts, ",-") + 1
	var words []string
	for _, p := range t.Partitions {
		if strings.HasPrefix(id(p.ID), parts[last:]) {
			words = append(words, topic+":"+parts[:last]+id(p.ID)+end+"\tleader "+leaderText(p.Leader))
		}
	}
	return words
}
