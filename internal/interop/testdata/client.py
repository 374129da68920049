"""Reads and writes records with a Python client, for the interop tests.

usage: client.py BROKERS confluent|kafka-python read TOPIC...
       client.py BROKERS confluent|kafka-python write TOPIC=CODEC... < records
       client.py BROKERS confluent transact TOPIC commit|abort COUNT...

A record is one JSON object a line; bytes are base64 and null is null. A
negative partition leaves the choice to the client's own partitioner.
"""
import base64
import json
import sys


def b64(data):
    return None if data is None else base64.b64encode(bytes(data)).decode()


def unb64(text):
    return None if text is None else base64.b64decode(text)


def show(topic, partition, offset, timestamp, key, value, headers):
    print(json.dumps({
        "topic": topic, "partition": partition, "offset": offset, "timestamp": timestamp,
        "key": b64(key), "value": b64(value),
        "headers": [{"name": name, "value": b64(data)} for name, data in headers or []],
    }))


def records(topics):
    """Yields topic, partition, timestamp, key, value, headers of each line of stdin."""
    for line in sys.stdin:
        r = json.loads(line)
        assert r["topic"] in topics
        headers = [(h["name"], unb64(h["value"])) for h in r["headers"] or []]
        yield r["topic"], r["partition"], r["timestamp"], unb64(r["key"]), unb64(r["value"]), headers


def confluent_read(brokers, topics):
    from confluent_kafka import Consumer, KafkaError, TopicPartition, OFFSET_BEGINNING
    c = Consumer({"bootstrap.servers": brokers, "group.id": "unused", "enable.auto.commit": False,
                  "enable.partition.eof": True, "check.crcs": True, "fetch.wait.max.ms": 50})
    metadata = c.list_topics(timeout=30)
    left = {(t, p) for t in topics for p in metadata.topics[t].partitions}
    c.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in left])
    while left:
        m = c.poll(30)
        assert m is not None, "no record and no end for 30 s"
        if m.error():
            assert m.error().code() == KafkaError._PARTITION_EOF, m.error()
            left.discard((m.topic(), m.partition()))
            continue
        show(m.topic(), m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(), m.headers())
    c.close()


def confluent_write(brokers, topics):
    from confluent_kafka import Producer
    failed = []
    producers = {t: Producer({"bootstrap.servers": brokers, "compression.type": codec, "linger.ms": 100,
                              "partitioner": "murmur2_random"}) for t, codec in topics.items()}
    for topic, partition, timestamp, key, value, headers in records(topics):
        where = {"partition": partition} if partition >= 0 else {}
        producers[topic].produce(topic, value, key, timestamp=timestamp, headers=headers,
                                 on_delivery=lambda err, _: err and failed.append(err), **where)
        producers[topic].poll(0)
    for p in producers.values():
        assert p.flush(60) == 0
    assert not failed, failed


def confluent_transact(brokers, topic, steps):
    from confluent_kafka import Producer
    p = Producer({"bootstrap.servers": brokers, "transactional.id": topic})
    p.init_transactions(60)
    n = 0
    for end, count in zip(steps[::2], steps[1::2]):
        p.begin_transaction()
        for _ in range(int(count)):
            p.produce(topic, f"{end} {n}", partition=0)
            n += 1
        assert p.flush(60) == 0
        p.commit_transaction(60) if end == "commit" else p.abort_transaction(60)


def kafka_python_read(brokers, topics):
    from kafka import KafkaConsumer, TopicPartition
    c = KafkaConsumer(bootstrap_servers=brokers.split(","), enable_auto_commit=False, check_crcs=True)
    tps = [TopicPartition(t, p) for t in topics for p in c.partitions_for_topic(t)]
    ends = c.end_offsets(tps)
    c.assign(tps)
    c.seek_to_beginning(*tps)
    while any(c.position(tp) < ends[tp] for tp in tps):
        for polled in c.poll(timeout_ms=1000).values():
            for m in polled:
                show(m.topic, m.partition, m.offset, m.timestamp, m.key, m.value, m.headers)
    c.close()


def kafka_python_write(brokers, topics):
    from kafka import KafkaProducer
    producers = {t: KafkaProducer(bootstrap_servers=brokers.split(","), linger_ms=100,
                                  compression_type=None if codec == "none" else codec)
                 for t, codec in topics.items()}
    sent = []
    for topic, partition, timestamp, key, value, headers in records(topics):
        sent.append(producers[topic].send(topic, value=value, key=key, headers=headers, timestamp_ms=timestamp,
                                          partition=partition if partition >= 0 else None))
    for p in producers.values():
        p.flush(60)
        p.close()
    for future in sent:
        future.get(timeout=60)


def main():
    brokers, library, verb, *args = sys.argv[1:]
    if verb == "transact":
        confluent_transact(brokers, args[0], args[1:])
    elif verb == "read":
        {"confluent": confluent_read, "kafka-python": kafka_python_read}[library](brokers, args)
    else:
        topics = dict(a.split("=") for a in args)
        {"confluent": confluent_write, "kafka-python": kafka_python_write}[library](brokers, topics)


main()
