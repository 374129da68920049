package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// bashPatches make cobra's script for bash complete words like 0,2 and '%k{hex},
// which it compares with their escaped forms, and asks about with their quotes open.
var bashPatches = [][2]string{
	{`    words=("${words[@]:0:$cword+1}")
`, `    words=("${words[@]:0:$cword+1}")

    # The word as it is meant: without a quote that is still open, or backslashes.
    local quote=""
    case $cur in
    \'*|\"*)
        quote=${cur:0:1}
        cur=${cur:1}
        ;;
    \$\'*)
        quote="'"
        cur=${cur:2}
        ;;
    esac
    [[ $quote == \' ]] || cur=${cur//\\/}
    if [[ -n $cur ]]; then
        words[cword]=$(printf "%q" "$cur")
    elif [[ -n $quote ]]; then
        words[cword]=""
    fi
`},
	{`        [[ $comp == "$cur"* ]] || continue
`, `        [[ ${compline%%$tab*} == "$cur"* ]] || continue
`},
	{`        COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]%%$tab*}")
`, `        COMPREPLY[0]=${COMPREPLY[0]%%$tab*}
        if [[ -z $quote && ${COMPREPLY[0]} == *[^a-zA-Z0-9_@%+=:,./^-]* ]]; then
            COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]}")
        fi
`},
	{`            COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]}")
        fi
        return 0
`, `            [[ -n $quote ]] || COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]}")
        fi
        return 0
`},
	{`    __kafkactl_handle_special_char "$cur" :
    __kafkactl_handle_special_char "$cur" =
`, `    if [[ -z $quote ]]; then
        __kafkactl_handle_special_char "$cur" :
        __kafkactl_handle_special_char "$cur" =
    fi
`},
}

// zshPatches do the like for zsh, which cuts words at blanks, quoted or not.
var zshPatches = [][2]string{
	{`    words=("${=words[1,CURRENT]}")
`, `    if [[ -n ${compstate[quote]} ]]; then
        words=("${=words[1,CURRENT-1]}" "${(q)PREFIX}")
    else
        words=("${=words[1,CURRENT]}")
    fi
`},
}

// fishPatches do the like for fish, which hands the open quote on.
var fishPatches = [][2]string{
	{`        set -l prefix (commandline -t | string escape --style=regex)
`, `        set -l prefix (string unescape -- (commandline -t | string replace -r '^[\'"]' '') | string escape --style=regex)
`},
	{`    set -l lastArg (string escape -- (commandline -ct))
`, `    set -l lastArg (string escape -- (string unescape -- (commandline -ct | string replace -r '^[\'"]' '')))
`},
}

// patched prints a script that cobra makes, with changes.
func patched(w io.Writer, script func(w io.Writer) error, patches [][2]string) error {
	var b bytes.Buffer
	if err := script(&b); err != nil {
		return err
	}
	text := b.String()
	for _, p := range patches {
		if strings.Count(text, p[0]) != 1 {
			return fmt.Errorf("the completion script has changed: %q", p[0])
		}
		text = strings.Replace(text, p[0], p[1], 1)
	}
	_, err := io.WriteString(w, text)
	return err
}
