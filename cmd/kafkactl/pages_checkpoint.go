package main

const checkpointPage = `produce --checkpoint FILE sends an input so that a run which was interrupted, by a signal, kill -9, a
reboot or a network that went away, is taken up by the same command: no record twice, none left out.

    kafkactl produce orders big.jsonl.zst -J --checkpoint big.ckpt
    zcat logs.gz | kafkactl produce logs --checkpoint logs.ckpt
    kafkactl consume orders --isolation read_committed

The first can be repeated until it exits 0; once it has, repeating it does nothing. The second has
to be given the whole input again, and passes over what was sent. The third is how to read: records
are sent in transactions of a second or 32 MiB, and those of a transaction that was lost stay in the
log as aborted ones. kafkactl consume, and Kafka's clients told so, pass over them; other readers show
them, and so see repeats.

How it goes on. How many records were committed, and a sum of them, is kept by the cluster, as the
offset of a group of FILE's own, by the same transaction as the records. FILE has the names of that
group and the transactional id. It is written before the first record leaves, and after each
transaction; it may be behind, and is nothing to edit or copy. To begin again, remove it.

What is refused, with exit 1 and the reason, before anything is sent:

    another topic, cluster, or flag that makes other records than those FILE was begun with
    an input that does not begin with the records that were sent: it is read again up to there, and
    compared; more behind them is what comes next, so that a file which has grown can be sent on
    a FILE that another run is using, and a run of which a copy has gone on meanwhile
    a cluster that has forgotten the position (a week without a run; offsets.retention.minutes)
    a topic that was deleted and made anew since: what was committed is gone with the one before (from
    Kafka 2.8 on); a run that this happens to ends likewise
    brokers before Kafka 2.5, which cannot say for certain what a transaction has committed

A record that the input spoils ends the run with what is before it committed; --keep-going, which may be
given only then, skips it, counted, exit 3. One that the brokers refuse ends the run, and the second it
was in is not sent.
--acks is all, and --receipts is not to be had: offsets would be printed before they are committed.
Timestamps that records do not bring are those of the run that committed them. Where partitions are
added in between, keys may go to others from then on, as they would with any producer.

Brokers that cannot be reached are waited for, as long as --delivery-timeout (2 minutes) says; then the
run ends, and the same command goes on from there.

Rights: Write and Describe on the transactional id kafkactl-*, Read on the group kafkactl-*, Write and
Read on the topic.
`
