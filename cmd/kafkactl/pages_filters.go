package main

const filtersPage = `Which records are taken, and what of them.

    kafkactl consume orders --grep error --last 10     # the last ten that say so
    kafkactl consume orders --where '.value.amount > 100 and .key != null'
    kafkactl tail '^orders' --grep 'h:source=web' --select '{at: .time, id: .value.id}'

    -n N            the first N (consume), the last N first (tail)
    --last N        the last N over all targets
    TARGET@RANGE    a part of the log by offset or time; see kafkactl help positions
    TARGET:PARTS    some partitions
    --isolation     read_committed leaves out aborted transactions (the default)
    --grep [!][v:|k:|t:|h:NAME=]REGEX
                    the value (v:, or nothing), key, topic or a header of that name matches;
                    h:NAME alone is there at all; ! turns it round. Repeatable: all must hold
    --where EXPR    a result of EXPR is neither null nor false
    --select EXPR   the results of EXPR, one a line, in place of the record; none prints none

REGEX is RE2's, matches anywhere unless it begins with ^ or ends with $, and never matches a
null. A REGEX with \x80 to \xff in it is of bytes: '^\x00\x00\x00\x00\xc8' is values of schema 200.
EXPR is jq's language over this object, in which numbers keep all their digits:

    .topic .partition .offset
    .leaderEpoch    or null
    .timestamp      milliseconds, and .time the same as 2026-11-24T09:30:00.000Z; or null
    .timestampType  CreateTime, LogAppendTime or null
    .key            text or null
    .value          what it says if it is JSON, else its text, or null
    .text           the value's text, JSON or not
    .headers        an object; of several with one name the last. .headerList has all, in order

    .value.items | length > 3                  .value.user.country == "DE"
    .time > "2026-11-24T09" and .partition == 0
    .key | test("^user-[0-9]+$")               .headers["trace-id"] != null
    .value.price? // 0 | . > 9.99              [.value.tags[]?] | index("new") != null
    .timestamp / 1000 > now - 600              (.value.at[:19] + "Z" | fromdate) > now - 3600

--select prints JSON as jq -c does, where bytes that are not UTF-8 stand as U+FFFD; with --raw
strings stand without their quotes and as they are.

A record that EXPR fails for, such as .value.amount of a text, is left out; the end of the
run says how many there were and shows the first, and --strict makes an error of one. A ? lets
EXPR pass over it silently: .value.amount? > 100. An EXPR that takes 30 seconds or 256 MB of memory
over one record will not end, and is an error.

-n and --last count the records that are left and of which --select makes something; --last reads
backwards only as far as it must.
What is filtered out counts as done for a group's commits, and --idle counts it as having come.
`
