package main

const execPage = `consume --exec CMD gives records to children of a shell, and counts as done what they end with
exit status 0 for.

    kafkactl consume orders -g billing --follow --exec './charge'
    kafkactl consume orders -g archive --follow -J --batch 1000 --exec 'gzip > "$RECORD_PARTITION-$RECORD_OFFSET.jsonl.gz"'
    kafkactl consume orders --exec 'curl -sf --data-binary @- "http://shop/orders/$RECORD_KEY"' --exec-retries 5 --workers 8

Each child runs CMD with /bin/sh -c (cmd /C on Windows) and gets up to --batch N records (1) of one
partition; fewer when the log has no more, or with 16 MiB of them. It reads them on its standard
input as -f, -J, -K and -D print them; what it leaves unread does not matter, nor does what it
prints. Its environment says which they are:

    RECORD_TOPIC  RECORD_PARTITION
    RECORD_OFFSET  RECORD_LAST_OFFSET       of the first and the last of them
    RECORD_COUNT
    RECORD_TIMESTAMP                        of the first, ms since 1970; not set if it has none
    RECORD_KEY                              of a single record; not set if that is null or over 64 KiB
    RECORD_KEY64                            in its place, base64, where the key holds a NUL byte

Children of one partition run one after another. --workers N splits the partitions over N workers,
each with a child at a time; --partitions-per-worker K takes as many as give each up to K.

After a child that does not exit 0 no other begins; those that run may finish. What is done is
committed, the batch that failed is not, and consume ends with exit 1, naming partition, offset and
status: the next run with -g begins with that batch. --exec-retries N first gives it to N other
children, with a pause that grows.

Children lead process groups of their own, so a Ctrl-C is ours alone: the one that runs may finish
within --timeout, and then its record counts; after that it is killed with all it started. A second
Ctrl-C kills at once.
`
