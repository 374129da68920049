package main

import (
	"fmt"
	"strings"
)

type formatToken struct{ token, doc string }

// formatTokens is what the language of -f has, for help and for shells.
func formatTokens() []formatToken {
	return []formatToken{
		{"%t", "topic"},
		{"%p", "partition"},
		{"%o", "offset"},
		{"%k", "key"},
		{"%s", "value; %v is the same"},
		{"%T", "timestamp in milliseconds, -1 where there is none"},
		{"%h", "all headers as name=value,...; NULL for a null"},
		{"%h{NAME}", "the value of one header, the last of that name"},
		{"%H", "number of headers"},
		{"%H{block}", "all headers in Kafka's own binary form"},
		{"%K", "length of the key in bytes, -1 for null"},
		{"%S", "length of the value, -1 for null"},
		{"%R", "the same as four bytes, big-endian: %S{big32}"},
		{"%e", "leader epoch, -1 where it is not known"},
		{"%%", "a percent sign"},
	}
}

// formatsPage explains how records are shown and read.
func formatsPage() string {
	var tokens strings.Builder
	for _, t := range formatTokens() {
		fmt.Fprintf(&tokens, "    %-11s%s\n", t.token, t.doc)
	}
	return `What a record looks like, written and read.

    kafkactl consume orders -f '%p:%o %T{rfc3339} %k %s\n'
    kafkactl consume orders -J | jq -r 'select(.key == "k1") | .value'
    kafkactl consume orders -J --value-as json | jq .value.id
    kafkactl consume orders -J | kafkactl produce copy -J --keep-partition
    kafkactl consume orders -f '%T{varint}%K{varint}%S{varint}%H{block}%k%s' > orders.bin
    kafkactl produce orders2 -f '%T{varint}%K{varint}%S{varint}%H{block}%k%s' < orders.bin

A piped record is its value and a newline, exactly; nothing is escaped there. On a terminal a
dimmed prefix comes first, and control characters of records are shown escaped (not with --raw).

    -K SEP     the key and SEP before the value; produce: the first SEP ends the key
    -D SEP     SEP in place of the newline
    -f FMT     as FMT says, no newline added: '%k %s\n'
    -J         a JSON object a line, without loss
    --key-as, --value-as text|hex|base64|json       how their bytes stand
    --null TOKEN, -Z                                what stands for null (not in -f and -J)

SEP and FMT take \n \t \r \0 \\ \xNN. -f, -J and -K or -D exclude each other.

Tokens of -f

` + tokens.String() + `
Modifiers stand in braces right behind a token; a literal { there is \x7b.

    %k %s %h{NAME}     {hex} {base64}
                       {json}: null, a "string", or {"base64":"..."} for what is no UTF-8
                       {unpack:LAYOUT}: the fields of bytes, apart by a space
    %t                 {json}
    %p %o %T %K %S %e %H   {big8} {big16} {big32} {big64} {little8}...{little64}: bytes of
                       that order, all bits set for -1; {varint}: as in Kafka's records
    %T                 {rfc3339}, or strftime's {%Y-%m-%d %H:%M:%S}; %f is microseconds, %z the
                       zone. Local time; rfc3339 has its zone

A LAYOUT is names of fields apart by spaces, < and > setting the byte order of those behind them
(big until then): i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 varint uvarint, str8 str16 str32
(length, then text), bytes8 bytes16 bytes32, hexN (N bytes), and at the end str or hex for the
rest. What it does not describe stands as !0x and all the bytes, and is counted.

    kafkactl consume points -f '%o %s{unpack:<i32 f64 f64 str16}\n'
    42 7 1.5 -2.25 "north"

Reading with produce -f

produce takes any format of which it is certain where each part ends, and refuses others with
the place of the doubt. A number ends at what is no digit. Text ends at its length, if %K or %S
stand before it, else where the text behind it in FMT first stands. So %k %s\n reads keys
without spaces, and %S %s reads anything; lengths or {json} also tell null from empty.
A strftime must tell all of the year, the day, and with %I the half of it. What it leaves out is
read as the beginning of what it tells; where clocks are set back, only %z tells one hour from
the other.
TOPIC always wins, %o and %e are ignored, %p counts with --keep-partition, and --timestamp
beats %T. If no part but the last holds the end of FMT, as with \n, each record is a line.

JSON

    {"topic":"orders","partition":0,"offset":42,"timestamp":1795442700123,
     "timestampType":"CreateTime","key":"k1","value":"...","headers":[{"name":"a","value":"1"}],
     "leaderEpoch":7}

All fields are always there, on one line, in this order. A null is null. What is not UTF-8 stands
as base64 under key64, value64 and name64 in place of key, value and name. --value-as json
embeds a value that is JSON as itself: readable, but its white space is lost, a JSON string comes
back without its quotes, and the text null as a null. produce -J needs only "value"; an unknown
field is an error.

Listings (metadata, offsets get, groups) take -o table, tsv or json, and -J for -o json. A
terminal gets a table; a pipe gets tabs without a header, for cut and awk.
`
}
