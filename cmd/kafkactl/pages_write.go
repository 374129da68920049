package main

const writePage = `consume --write TEMPLATE writes records to files, each of which is whole or not there.

    kafkactl consume orders --write 'out/%t-%p.jsonl.gz'
    kafkactl consume -g archive '^orders' --follow --write 'out/%t/%T{%Y-%m-%d}/%p-%o.jsonl.zst' --rotate-size 100MB --rotate-time 10m
    kafkactl consume users --grep h:mail -f '%s' --rotate-count 1 --write 'mails/%k-%o.eml'

A name has tokens of the format language; each record goes to the file its tokens name:

    %t  %p                    topic and partition
    %T{%Y-%m-%d}  %T{rfc3339} the record's time, by strftime
    %k  %h{NAME}              its key, one of its headers; with a modifier, as in %k{hex}, encoded
    %o                        the offset of the file's first record
    %%                        a percent sign

A name that ends in .jsonl or .json means -J unless -f, -K, -D or -J say otherwise; other names
hold values, one a line. A further .gz or .zst compresses.

What a record brings into a name stays one part of it: a slash, a dot in front, a percent sign,
control characters and bytes that are no text stand as %2F, %2E, …; a null is %null, nothing at all
%empty. An element of more than 220 bytes is cut and ends in %~ and a digest of it. Where names are
the same but for case, and the file system does not tell them apart, the second has a number.

A file is finished at the end of the run, or by --rotate-size (of the file, compressed; one
record may be more), --rotate-count or --rotate-time (since it was begun, also while nothing comes;
1h with --follow). What follows goes into the next. With a --rotate flag and without %o, names have
a number: orders-0.000001.jsonl. No file is ever replaced: where one of that name is, the next number
is taken.

Until it is finished a file is called .NAME.ID.part. Then it is put on the disk, gets its name, and
only then do its records count as done: with -g they are committed. So a run that is killed leaves no
torn file, and the next one removes what it had not finished. What it had finished and could
not commit any more is in .kafkactl-ID.files beside them, and the next run of the same group, targets,
filters and TEMPLATE leaves those records out: each is in one file. If the machine itself fails, some
may be in two. Between members of a group on different machines a partition that is lost is written
again from its last commit.

A full disk or another error ends the run with exit 1, naming the file. Files finished before stay
and are committed, others are removed.

Few files are open at a time; a compressed one that is closed and opened again has several members or
frames, as zcat and zstd expect them. Beyond 10,000 that are not finished, those begun first are.
With --workers each worker has files of its own; where a name is not a partition's alone, they are
numbered.
`
