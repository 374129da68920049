package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kafkactl/internal/format"
)

// completeFormat offers the tokens of the language behind what is typed, and
// behind a brace the modifiers that its token takes.
func completeFormat(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	at := strings.LastIndexByte(word, '%')
	if at >= 0 {
		if token, begun, ok := strings.Cut(word[at:], "{"); ok && !strings.Contains(begun, "}") {
			return modifiersFrom(word[:at], token, begun), stay
		}
	}
	if at < 0 || len(word)-at > 2 && word[len(word)-1] == '}' || len(word)-at == 2 && !strings.ContainsRune("ksvThKSpoeHt", rune(word[at+1])) {
		at = len(word)
	}
	var out []string
	for _, t := range formatTokens() {
		if strings.HasPrefix(t.token, word[at:]) {
			out = append(out, word[:at]+t.token+"\t"+t.doc)
		}
	}
	return out, stay
}

// modifiersFrom are the modifiers of a token that begin as typed. The language
// itself says which a token takes.
func modifiersFrom(before, token, begun string) (out []string) {
	for _, m := range modifiers() {
		if !strings.HasPrefix(m.token, begun) {
			continue
		}
		if _, err := format.Compile(token+"{"+m.token+"}", time.UTC); err == nil {
			out = append(out, before+token+"{"+m.token+"}\t"+m.doc)
		}
	}
	return out
}

func modifiers() []formatToken {
	return []formatToken{
		{"hex", "hexadecimal"},
		{"base64", "base64"},
		{"json", "JSON, null and what is no text too"},
		{"unpack:<i32 str16", "the fields of binary data"},
		{"block", "Kafka's own binary form"},
		{"varint", "a number as in Kafka's records"},
		{"big8", "a byte"}, {"big16", "two bytes, the highest first"}, {"big32", "four"}, {"big64", "eight"},
		{"little8", "a byte"}, {"little16", "two bytes, the lowest first"}, {"little32", "four"}, {"little64", "eight"},
		{"rfc3339", "date and time with its zone"},
		{"%Y-%m-%d %H:%M:%S", "date and time by strftime's words"},
	}
}
