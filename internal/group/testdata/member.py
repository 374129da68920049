"""A member of a consumer group by a Python library, until SIGTERM.

member.py BROKERS confluent|kafka-python TOPIC STRATEGIES

The group has the topic's name.
"""
import signal
import sys

brokers, library, topic, strategies = sys.argv[1:5]
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))

if library == "confluent":
    from confluent_kafka import Consumer

    c = Consumer({"bootstrap.servers": brokers, "group.id": topic, "auto.offset.reset": "earliest",
                  "partition.assignment.strategy": strategies})
    c.subscribe([topic])
    while not stopped:
        c.poll(0.1)
    c.close()
else:
    from kafka import KafkaConsumer
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

    known = {"range": RangePartitionAssignor, "sticky": StickyPartitionAssignor}
    c = KafkaConsumer(topic, bootstrap_servers=brokers, group_id=topic, auto_offset_reset="earliest",
                      partition_assignment_strategy=[known[s] for s in strategies.split(",")])
    while not stopped:
        c.poll(timeout_ms=100)
    c.close()
