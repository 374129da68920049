package main

import (
	"fmt"
	"strings"
)

// pageNames lists the help pages that belong to no command.
func pageNames() []string {
	return []string{"formats", "positions", "filters", "inputs", "checkpoint", "exec", "write", "exits", "tuning"}
}

// page is the text of one, and whether there is one.
func page(name string) (string, bool) {
	switch name {
	case "formats":
		return formatsPage(), true
	case "positions":
		return positionsPage, true
	case "filters":
		return filtersPage, true
	case "inputs":
		return inputsPage, true
	case "checkpoint":
		return checkpointPage, true
	case "exec":
		return execPage, true
	case "write":
		return writePage, true
	case "exits":
		return exitsPage(), true
	case "tuning":
		return tuningPage(), true
	}
	return "", false
}

const positionsPage = `What to read is one grammar everywhere.

    kafkactl consume orders@-10                     # the last ten of each partition
    kafkactl consume orders:3@100..+5 users@-1h     # five of one partition, and an hour of users
    kafkactl offsets get orders --at 2026-11-23     # which offsets a day begins at

    TARGET = TOPIC[:PARTS][@RANGE]
    TOPIC  = a name, or ^REGEX (RE2, anchored at the start)
    PARTS  = 0   0,2   0,2-4
    RANGE  = POS | POS..POS | POS.. | ..POS        the right end is not included

    POS    = start | end                           of the partition
             N                                     an offset
             start+N  end-N  +N  -N                +N is start+N, -N is end-N
             TIME                                  the first record at or after it
             max-timestamp                         the record with the highest timestamp (3.0)
             earliest-local  latest-tiered         of tiered storage (3.4, 3.9)
             earliest-pending-upload               the same (4.2)
    TIME   = now
             -30s  -15m  -1h30m  -3d  -1w          ago
             2026-11-23   2026-11-23T14:05         local time
             2026-11-23T14:05:00Z                  RFC 3339
             1795442700s  1795442700000ms          since 1970; without its unit a number is an offset

    orders                  all of it, and then it ends
    orders:0                one partition
    orders@-10              the last ten of each partition
    orders:3@100..200       offsets 100 to 199
    orders:3@100..+5        offsets 100 to 104: +N right of .. counts from the left
    orders@-1h              since an hour ago
    orders@2026-11-23..+1d  one day: +DURATION right of a time counts from it

Offsets count per partition, holes and transaction markers included. Every range ends by
itself: its implied end is the end of the partition when the command started. --follow
removes that end. --from POS and --to POS give a range to every target without its own.

A relative position or a time past either end is moved to it silently, an absolute offset
with a warning; --strict makes an error of that warning. Before Kafka 0.10.1 a time is only
as fine as a log segment.
`

// exitsPage is made of the table that decides.
func exitsPage() string {
	var b strings.Builder
	b.WriteString("What an exit status says.\n\n")
	for _, x := range exitTable {
		fmt.Fprintf(&b, "    %3d  %s\n", x.code, x.doc)
	}
	b.WriteString(`
The first that applies: a signal; 2; 3 if of several named things some were done and some
failed; else the cause, in the order 5, 6, 4, 1. A reader that closes our standard output
ends any command quietly with 0. --keep-going skips what fails and ends with 3.

In a script:

    kafkactl produce orders day.jsonl -J -q; [ $? -eq 3 ] && echo "not all of it"
    kafkactl consume orders@-1h --grep ERROR | grep -q . && echo there were errors
    timeout --preserve-status -s INT 60 kafkactl consume orders --follow >sample || [ $? -eq 130 ]

produce ends with 3 when some records were acknowledged and others not; its message counts both and
names the first line that was not. consume ends with 3 when some partitions could be read and others
could not, or when --keep-going left out records whose --exec failed for good. --dead-letter deals
with those, so its exit is 0, and a warning counts them. Records that --where cannot judge are
counted in a warning; --strict makes that, and lost offsets, the end of the run.

Ctrl-C, SIGTERM and SIGHUP end a command after what is done is settled, a second one at once.
SIGUSR1 (kill -USR1 PID) has it say how far it is, and ends nothing.

What changes offsets (offsets seek, commit, import, copy, delete and undo, groups delete) ends with
0 when the cluster, asked again, has what was wanted, and so if there was nothing to change; with 3
when some partitions were changed and others not; with 1, nothing being changed, where a group has
live members or the answer to the question was no; with 2 where nobody could be asked and --yes was
not given. offsets undo takes back what a 3 left half done.
`)
	return b.String()
}
