package main

const inputsPage = `produce TOPIC [FILE...] makes records of files in their order, or of standard input, as -.

    kafkactl produce orders day1.jsonl.zst day2.jsonl.gz -J
    kafkactl produce orders --csv --csv-key id orders.csv
    kafkactl produce images --file-per-record --key-from-name *.png

The first reads two compressed files of JSON records, the second makes a JSON object of each row,
keyed by its column id, and the third sends three pictures under their names. What a record is:

    (nothing)           a line: -D ends it, -K parts its key, --null tells nulls,
                        --key-as and --value-as decode hex, base64 and JSON
    -J                  a line of JSON as consume -J prints it, or an element of a JSON array: a file
                        whose first character is [ holds one, on as many lines as it likes
    -f FMT              what consume -f FMT printed (kafkactl help formats)
    --csv               a row of comma-separated values (RFC 4180)
    --file-per-record   a whole file

Compressed files. Names that end in .gz .gzip .zst .zstd .lz4 .bz2 .sz are read decompressed; the
bytes of standard input are never guessed at. --decompress gzip|zstd|lz4|bzip2|snappy holds for
all inputs, a pipe too, and none for no file. Members one behind the other are one stream. A file
that is cut off or corrupt ends the run with exit 1 and says where; what came before it was sent.
Framed snappy (.sz) does not mark its end, so that one cut between two of its chunks looks whole.
Files named .xz .lzma .zip .7z .br .Z .lzo are refused, exit 2: xz -dc FILE | kafkactl produce … reads them.

CSV. The first row of each file names its columns. A record's value is an object of all columns
in their order, their values text as they stand: "007" and "" stay what they are. --csv-key NAME
makes that column the key, and takes it out of the value. --csv-delim ';' or '\t' stands between
fields. A row with too few or too many fields, a stray quote or bytes that are no UTF-8 is
refused, with its file, record and line; with --keep-going it is skipped and counted, and the exit is
3. Quotes may hold line ends. A header that lacks a name, or has one twice, ends the run. A byte order
mark at the beginning of a file is passed over, here and with -J.

Whole files. Their bytes are the value, exactly; an empty file is an empty value. They are not
decompressed unless --decompress is given. --key-from-name makes a file's name, without its
directories, the key; -k gives all the same. Only regular files, up to 100 MiB; the topic's
max.message.bytes is mostly smaller, and what does not fit is refused by name.

How far it is. While standard error is a terminal its last line shows the share of the files'
bytes read, what is left at the present speed, which file it is, and what was acknowledged:

    sent [######----------] 41% of 1.2 GiB, 14s left · file 2 of 5 · 4,120,311 records, 510.2 MiB · …
`
