import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Queue;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads topics with Kafka's own consumer and says, in a line for each but the
 * first, whether it holds what the first holds, record by record.
 *
 * usage: Compare.java --bootstrap-server BROKERS TOPIC=TIMESTAMPTYPE TOPIC=TIMESTAMPTYPE...
 */
public class Compare {
    /** The records of one partition, from its start to the end it had when asked. */
    static final class Log implements AutoCloseable {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final TopicPartition at;
        private final long end;
        private final Queue<ConsumerRecord<byte[], byte[]>> read = new ArrayDeque<>();

        Log(String brokers, TopicPartition at) {
            Properties p = new Properties();
            p.put("bootstrap.servers", brokers);
            p.put("isolation.level", "read_committed");
            p.put("auto.offset.reset", "none");
            p.put("check.crcs", "true");
            consumer = new KafkaConsumer<>(p, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            this.at = at;
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            end = consumer.endOffsets(List.of(at)).get(at);
        }

        /** The next record, or null at the end. */
        ConsumerRecord<byte[], byte[]> next() {
            while (read.isEmpty() && consumer.position(at) < end) {
                consumer.poll(Duration.ofSeconds(1)).forEach(read::add);
            }
            return read.poll();
        }

        @Override
        public void close() {
            consumer.close(Duration.ofSeconds(5));
        }
    }

    /** What was seen, so that the reader can tell that there was something to compare. */
    static final class Seen {
        int records, nullKeys, emptyKeys, nullValues, emptyValues, headers, nullHeaders, repeats;

        void add(ConsumerRecord<byte[], byte[]> r) {
            records++;
            nullKeys += r.key() == null ? 1 : 0;
            emptyKeys += r.key() != null && r.key().length == 0 ? 1 : 0;
            nullValues += r.value() == null ? 1 : 0;
            emptyValues += r.value() != null && r.value().length == 0 ? 1 : 0;
            Set<String> names = new HashSet<>();
            for (Header h : r.headers()) {
                headers++;
                nullHeaders += h.value() == null ? 1 : 0;
                repeats += names.add(h.key()) ? 0 : 1;
            }
        }

        @Override
        public String toString() {
            return String.format("same %d %d %d %d %d %d %d %d", records, nullKeys, emptyKeys, nullValues, emptyValues,
                headers, nullHeaders, repeats);
        }
    }

    static String show(byte[] b) {
        return b == null ? "null" : Arrays.toString(b);
    }

    /** The first field in which two records differ, or null. */
    static String differ(ConsumerRecord<byte[], byte[]> got, ConsumerRecord<byte[], byte[]> want, String gotType, String wantType) {
        if (got == null || want == null) {
            return got == want ? null : (got == null ? "a record is missing" : "a record too many");
        }
        if (!want.timestampType().toString().equals(wantType)) {
            return "the first topic's timestamp type is " + want.timestampType();
        }
        if (!got.timestampType().toString().equals(gotType)) {
            return "timestamp type: " + got.timestampType();
        }
        if (got.timestamp() != want.timestamp()) {
            return "timestamp: " + got.timestamp() + ", want " + want.timestamp();
        }
        if (!Arrays.equals(got.key(), want.key())) {
            return "key: " + show(got.key()) + ", want " + show(want.key());
        }
        if (!Arrays.equals(got.value(), want.value())) {
            return "value: " + show(got.value()) + ", want " + show(want.value());
        }
        Iterator<Header> g = got.headers().iterator(), w = want.headers().iterator();
        for (int i = 0; g.hasNext() && w.hasNext(); i++) {
            Header a = g.next(), b = w.next();
            if (!Objects.equals(a.key(), b.key())) {
                return "name of header " + i + ": " + a.key() + ", want " + b.key();
            }
            if (!Arrays.equals(a.value(), b.value())) {
                return "value of header " + i + ": " + show(a.value()) + ", want " + show(b.value());
            }
        }
        return g.hasNext() || w.hasNext() ? "number of headers" : null;
    }

    static String compare(String brokers, String[] first, String[] other) {
        int partitions;
        try (KafkaConsumer<byte[], byte[]> c = new KafkaConsumer<>(Map.of("bootstrap.servers", brokers),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<PartitionInfo> want = c.partitionsFor(first[0]), got = c.partitionsFor(other[0]);
            partitions = want.size();
            if (got.size() != partitions) {
                return got.size() + " partitions, want " + partitions;
            }
        }
        Seen seen = new Seen();
        for (int p = 0; p < partitions; p++) {
            try (Log want = new Log(brokers, new TopicPartition(first[0], p)); Log got = new Log(brokers, new TopicPartition(other[0], p))) {
                for (int n = 0;; n++) {
                    ConsumerRecord<byte[], byte[]> w = want.next(), g = got.next();
                    String fault = differ(g, w, other[1], first[1]);
                    if (fault != null) {
                        return "partition " + p + ", record " + n + ": " + fault;
                    }
                    if (w == null) {
                        break;
                    }
                    seen.add(g);
                }
            }
        }
        return seen.toString();
    }

    public static void main(String[] args) {
        String[] first = args[2].split("=");
        for (int i = 3; i < args.length; i++) {
            String[] other = args[i].split("=");
            byte[] line = (other[0] + " " + compare(args[1], first, other) + "\n").getBytes(StandardCharsets.UTF_8);
            System.out.write(line, 0, line.length);
        }
        System.out.flush();
    }
}
