package codec

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kafkactl/internal/record"
)

// readByAnother reads entries with a client that shares no code with ours but
// the inner loops of the compressions.
func readByAnother(tb testing.TB, entries []byte, from int64) []record.Record {
	tb.Helper()
	fp, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: from, Topic: "t"},
		&kmsg.FetchResponseTopicPartition{RecordBatches: entries}, kgo.DefaultDecompressor(), nil)
	if fp.Err != nil {
		tb.Fatalf("another reader: %v", fp.Err)
	}
	var recs []record.Record
	for _, r := range fp.Records {
		rec := record.Record{Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(), LeaderEpoch: r.LeaderEpoch, Key: r.Key, Value: r.Value,
			TimestampType: record.TimestampType(r.Attrs.TimestampType())}
		if rec.TimestampType == record.NoTimestampType {
			rec.Timestamp = record.NoTimestamp
		}
		for _, h := range r.Headers {
			rec.Headers = rec.Headers.Append([]byte(h.Key), h.Value)
		}
		recs = append(recs, rec)
	}
	return recs
}

func TestAnotherReaderReadsWhatWeWrite(t *testing.T) {
	everyFormat(t, func(t *testing.T, magic int8, o Options) {
		for seed := range uint64(6) {
			r := newRand(seed)
			want := randomRecords(r, 1+r.IntN(200), magic)
			for _, raw := range []bool{false, true} {
				o.SnappyRaw = raw
				e := sealed(t, magic, o, want...)
				if magic == 0 {
					// As produced, v0 has no offsets, and this reader passes over those it has
					// seen; a broker would fill them in. It also refuses v0's lz4 (KIP-57).
					e = at(sealed(t, 0, Options{}, want...), upTo(len(want))...)
					switch o.Type {
					case LZ4:
						return
					case Gzip, Snappy:
						e = wrap(t, 0, int64(len(want)-1), o.Type, e)
					}
					for i := range want {
						want[i].Offset = int64(i)
					}
				}
				same(t, readByAnother(t, e, 0), want)
			}
		}
	})
}

func upTo(n int) (o []int64) {
	for i := range n {
		o = append(o, int64(i))
	}
	return o
}

// codecOf is the other client's encoder.
func codecOf(tb testing.TB, typ Type) kgo.Compressor {
	tb.Helper()
	c, err := kgo.DefaultCompressor(map[Type]kgo.CompressionCodec{
		Gzip: kgo.GzipCompression(), Snappy: kgo.SnappyCompression(), LZ4: kgo.Lz4Compression(), Zstd: kgo.ZstdCompression(),
	}[typ])
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func packByAnother(tb testing.TB, typ Type, b []byte) []byte {
	if typ == Uncompressed {
		return b
	}
	var out bytes.Buffer
	packed, got := codecOf(tb, typ).Compress(&out, b)
	if Type(got) != typ {
		tb.Fatalf("asked for %v, got %d", typ, got)
	}
	return bytes.Clone(packed)
}

// writeByAnother encodes a v2 batch with another's structs, and sums it here.
func writeByAnother(tb testing.TB, typ Type, recs []record.Record) []byte {
	tb.Helper()
	b := kmsg.RecordBatch{
		FirstOffset: 500, PartitionLeaderEpoch: 9, Magic: 2, Attributes: int16(typ), LastOffsetDelta: int32(len(recs) - 1),
		FirstTimestamp: recs[0].Timestamp, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(recs)),
	}
	var inner []byte
	for i, r := range recs {
		k := kmsg.Record{TimestampDelta64: r.Timestamp - recs[0].Timestamp, OffsetDelta: int32(i), Key: r.Key, Value: r.Value}
		for name, value := range r.Headers.All() {
			k.Headers = append(k.Headers, kmsg.Header{Key: string(name), Value: value})
		}
		// Its length field counts what follows it, so encode once to know.
		k.Length = 0
		k.Length = int32(len(k.AppendTo(nil)) - 1)
		inner = k.AppendTo(inner)
		b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp)
	}
	b.Records = packByAnother(tb, typ, inner)
	b.Length = int32(Head - lengthEnd + len(b.Records))
	e := b.AppendTo(nil)
	binary.BigEndian.PutUint32(e[17:], crc32.Checksum(e[21:], crc32.MakeTable(crc32.Castagnoli)))
	return e
}

func TestWeReadWhatAnotherWrites(t *testing.T) {
	for _, typ := range typesOf(2) {
		for seed := range uint64(6) {
			r := newRand(seed)
			want := randomRecords(r, 1+r.IntN(200), 2)
			e := writeByAnother(t, typ, want)
			for i := range want {
				want[i].Offset += 500
				want[i].LeaderEpoch = 9
			}
			got, err := read(e, 0)
			if err != nil {
				t.Fatalf("%v: %v", typ, err)
			}
			same(t, got, want)
		}
	}
}

// Uncompressed there is one way to encode a batch.
func TestBatchIsByteForByteAnothers(t *testing.T) {
	for seed := range uint64(6) {
		r := newRand(seed)
		recs := randomRecords(r, 1+r.IntN(100), 2)
		theirs := writeByAnother(t, Uncompressed, recs)
		ours := rebase(sealed(t, 2, Options{}, recs...), 500)
		binary.BigEndian.PutUint32(ours[atLeaderEpoch:], 9)
		if !bytes.Equal(ours, theirs) {
			t.Fatalf("seed %d: %d bytes, another has %d", seed, len(ours), len(theirs))
		}
	}
}

func TestWeReadMessageSetsOfAnother(t *testing.T) {
	encode := func(magic int8, offset, time int64, attributes int8, key, value []byte) []byte {
		var e []byte
		if magic == 0 {
			m := kmsg.MessageV0{Offset: offset, Attributes: attributes, Key: key, Value: value}
			e = m.AppendTo(nil)
		} else {
			m := kmsg.MessageV1{Offset: offset, Magic: 1, Attributes: attributes, Timestamp: time, Key: key, Value: value}
			e = m.AppendTo(nil)
		}
		binary.BigEndian.PutUint32(e[8:], uint32(len(e)-12))
		binary.BigEndian.PutUint32(e[12:], crc32.ChecksumIEEE(e[16:]))
		return e
	}
	for _, magic := range []int8{0, 1} {
		for _, typ := range typesOf(magic) {
			r := newRand(uint64(typ))
			want := randomRecords(r, 50, magic)
			var set []byte
			for i := range want {
				inner := int64(i)
				want[i].Offset = 900 + int64(i)
				if magic == 0 || typ == Uncompressed {
					inner = want[i].Offset
				}
				set = append(set, encode(magic, inner, want[i].Timestamp, 0, want[i].Key, want[i].Value)...)
			}
			if typ != Uncompressed {
				set = encode(magic, 949, 5, int8(typ), nil, packByAnother(t, typ, set))
			}
			got, err := read(set, 900)
			if err != nil {
				t.Fatalf("v%d %v: %v", magic, typ, err)
			}
			same(t, got, want)
		}
	}
}
