package main

const execPage = `consume --exec CMD gives records to children of a shell, and counts as done what they end with
exit status 0 for.

    kafkactl consume orders -g billing --follow --parallel 8 --ordered-by key --exec './charge' --exec-retries 3 --dead-letter orders-failed
    kafkactl consume orders -g archive -J --exec-per batch --batch 5000 --exec 'gzip > "$RECORD_PARTITION-$RECORD_OFFSET.jsonl.gz"'
    kafkactl consume orders@-1d -J --exec-per partition --exec 'jq -c .value | sort -u > "day-$RECORD_PARTITION"'

The first runs up to eight children at once, one for each record; an order's records are charged
in their order, and one that fails four times goes to another topic. The second makes files of up
to 5000 records. The third has one child for each partition, which reads all of it.

Each child runs CMD with /bin/sh -c (cmd /C on Windows). It reads its records on its standard input
as -f, -J, -K and -D print them; nobody minds what it prints. --exec-per says how many it gets:

    record      one (the default); --batch N: up to N
    batch       up to --batch N (1000) of one partition; fewer when the log has no more, or with 16 MiB
    partition   all of its partition, or up to --batch N if given, while it runs

Its environment says which they are:

    RECORD_TOPIC  RECORD_PARTITION
    RECORD_OFFSET                           of the first of them
    RECORD_LAST_OFFSET  RECORD_COUNT        not with --exec-per partition: more may come
    RECORD_TIMESTAMP                        of the first, ms since 1970; not set if it has none
    RECORD_KEY                              of a single record; not set if that is null or over 64 KiB
    RECORD_KEY64                            in its place, base64, where the key holds a NUL byte

What is done. A child is done when it exits 0, read or unread. One of --exec-per partition has to
exit 0 after its input was closed, and until then nothing it read is committed: its input is closed
at the end of what is read, when its partition goes to another member, at a signal, and after
--batch N. With --follow give it a --batch. A child that ends before its input does has failed.

Order. One child at a time runs, or with --parallel N up to N. --ordered-by says what waits for what:

    partition   a partition's children run one after another (the default)
    key         records of a partition with the same key do; those without a key wait for nobody.
                With --batch, keys are split over N queues, so that batches fill
    none        nothing waits

Children may then end in any order. Committed is only what has nothing undone before it in its
partition, so a run that was killed repeats what ended beyond, and leaves nothing out. At most 10,000
records or 64 MiB wait for those before them. --workers N splits the partitions over N workers, each
with its own --parallel; --partitions-per-worker K takes as many as give each up to K.

Failures. --exec-retries N gives a batch whose child did not exit 0 to N others, with a pause that
grows. After that:

    (nothing)            no other child begins, those that run may finish, and consume ends with exit 1,
                         naming partition, offset and status. The next run with -g begins with that batch
    --dead-letter TOPIC  its records go to TOPIC and count once all replicas in sync have them; a
                         warning counts them at the end, and the exit is 0: all were dealt with
    --keep-going         its records are left out and count as done; the exit is 3, with their number
                         and the first few of them

A dead letter has the record's key, value, headers and timestamp, and these headers behind its own:
kafkactl.error, .topic, .partition, .offset, .timestamp, .status or .signal, .attempts, .group. TOPIC
must be there (exit 6) and not be read (exit 2). Where it cannot be written the run ends with exit
1, and the record is not done. A record may be there twice if the run is killed before it commits.
A child that fails because whoever read its output has gone, as behind | head, is no failure: the
run ends there, and its records come again. A command that cannot be started, or that its shell does
not find (126, 127), is no record's fault: it ends the run whatever else was said. --exec-per
partition keeps no records, so it takes neither --exec-retries nor --dead-letter.

Children lead process groups of their own, so a Ctrl-C is ours alone: no child begins, those that
run may finish within --timeout, and then their records count; after that they are killed with all
they started. A second Ctrl-C kills at once. When a group takes a partition away, its running
children are waited for and committed first; what had not begun is read by whoever gets it.
`
