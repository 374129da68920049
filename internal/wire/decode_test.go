package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func TestMalformedResponsesAreRefusedByPath(t *testing.T) {
	for _, test := range []struct {
		name    string
		resp    Response
		version int16
		body    string
		want    string
	}{
		{"bytes after the end", &OffsetCommitResponse{}, 0, "00000000 00", "OffsetCommitResponse: 1 bytes too many in version 0"},
		{"null where none may be", &OffsetCommitResponse{}, 0, "ffffffff", "OffsetCommitResponse.Topics: null where the version allows none"},
		{"null name", &OffsetCommitResponse{}, 0, "00000001 ffff 00000000", "OffsetCommitResponse.Topics[0].Name: null where the version allows none"},
		{"null name, compact", &OffsetCommitResponse{}, 8, "00000000 02 00 01 00 00", "OffsetCommitResponse.Topics[0].Name: null where the version allows none"},
		{"null in a nullable pointer of another version", &MetadataResponse{}, 10,
			"00000000 01 00 00000000 02 0000 00 00000000000000000000000000000000 00 01 00000000 00 00000000 00",
			"MetadataResponse.Topics[0].Name: null where the version allows none"},
		{"negative count", &OffsetCommitResponse{}, 0, "fffffffe 00000000", "OffsetCommitResponse.Topics: negative length"},
		{"negative string length", &OffsetCommitResponse{}, 0, "00000001 fffe 00000000", "OffsetCommitResponse.Topics[0].Name: negative length"},
		{"count beyond the bytes", &OffsetCommitResponse{}, 0, "00000002 0000 00000000", "OffsetCommitResponse.Topics: more elements claimed than the frame has bytes for"},
		{"count beyond all bounds", &OffsetCommitResponse{}, 0, "7fffffff 0000 00000000", "OffsetCommitResponse.Topics: the frame ends too early: unexpected EOF"},
		{"string beyond the frame", &OffsetCommitResponse{}, 0, "00000001 0005 61626364", "OffsetCommitResponse.Topics[0].Name: the frame ends too early: unexpected EOF"},
		{"varint too long", &OffsetCommitResponse{}, 8, "00000000 ffffffffff 01", "OffsetCommitResponse.Topics: varint longer than 32 bits"},
		{"a partition cut short", &OffsetCommitResponse{}, 0, "00000001 0001 74 00000002 00000000 0000 00000001 00",
			"OffsetCommitResponse.Topics[0].Partitions: more elements claimed than the frame has bytes for"},
		{"a field cut short", &OffsetFetchResponse{}, 0, "00000001 0001 74 00000001 00000000 0000000000000000 0002 6d6d",
			"OffsetFetchResponse.Topics[0].Partitions[0].ErrorCode: the frame ends too early: unexpected EOF"},
		{"records beyond the frame", &FetchResponse{}, 0, "00000001 0001 74 00000001 00000000 0000 0000000000000000 00000003 0000",
			"FetchResponse.Topics[0].Partitions[0].Records: the frame ends too early: unexpected EOF"},
		{"whether there is a struct, cut short", &ConsumerGroupHeartbeatResponse{}, 0, "00000000 0000 00 00 00000000 00000000",
			"ConsumerGroupHeartbeatResponse.Assignment: the frame ends too early: unexpected EOF"},
		{"a struct that may be null, cut short", &ConsumerGroupHeartbeatResponse{}, 0, "00000000 0000 00 00 00000000 00000000 01 02 0000",
			"ConsumerGroupHeartbeatResponse.Assignment.TopicPartitions: more elements claimed than the frame has bytes for"},
		{"tagged field beyond the frame", &OffsetCommitResponse{}, 8, "00000000 01 01 07 05 00000000", "OffsetCommitResponse: the frame ends too early: unexpected EOF"},
		{"more tagged fields than bytes", &OffsetCommitResponse{}, 8, "00000000 01 ffffffff0f 07 00", "OffsetCommitResponse: the frame ends too early: unexpected EOF"},
		{"tagged field not filled", &ApiVersionsResponse{}, 3, "0000 01 00000000 01 01 09 0000000000000000 00",
			"ApiVersionsResponse.FinalizedFeaturesEpoch: tagged field does not fill its length"},
		{"tagged field overrun", &ApiVersionsResponse{}, 3, "0000 01 00000000 01 01 04 0000000000000000",
			"ApiVersionsResponse.FinalizedFeaturesEpoch: the frame ends too early: unexpected EOF"},
		{"a version we do not speak", &ApiVersionsResponse{}, 99, "", "ApiVersions version 99 is not spoken, 0 to 5 are"},
	} {
		body := unhex(test.body)
		for _, r := range []*Reader{NewBytesReader(body), NewReader(bufio.NewReaderSize(iotest.OneByteReader(bytes.NewReader(body)), 16), len(body))} {
			if err := Decode(r, test.version, test.resp, nil); text(err) != test.want {
				t.Errorf("%s: %q, want %q", test.name, text(err), test.want)
			}
		}
	}
}

// Every message cut at every byte is an error that names a field, from memory
// and from a socket whose peer hangs up.
func TestTruncationIsAlwaysAnError(t *testing.T) {
	for _, api := range APIs() {
		for v := api.Min; v <= api.Max; v++ {
			resp := api.Response()
			newFiller(int(api.Key), int(v), 4).message(resp, v, api.Flex)
			if api.Key == APIVersions {
				resp.(*ApiVersionsResponse).ErrorCode = 0
			}
			body := bodyOf(t, resp, v)
			for n := 0; n < len(body); n += 1 + len(body)/300 {
				hungUp := NewReader(bufio.NewReader(bytes.NewReader(body[:n])), len(body))
				for _, r := range []*Reader{NewBytesReader(body[:n]), hungUp} {
					err := Decode(r, v, api.Response(), nil)
					if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errCount) || !strings.HasPrefix(err.Error(), api.Name+"Response") {
						if api.Key != InitProducerID { // its Go name differs
							t.Fatalf("%v version %d cut at %d of %d: %v", api.Key, v, n, len(body), err)
						}
					}
				}
			}
		}
	}
}

func TestAFrameThatIsTooShortDiffersFromAPeerThatHungUp(t *testing.T) {
	short := Decode(NewBytesReader(make([]byte, 3)), 0, &OffsetCommitResponse{}, nil)
	hungUp := Decode(NewReader(bufio.NewReader(bytes.NewReader(make([]byte, 3))), 4), 0, &OffsetCommitResponse{}, nil)
	if !errors.Is(short, errShort) || errors.Is(hungUp, errShort) || !errors.Is(hungUp, io.ErrUnexpectedEOF) {
		t.Errorf("%v, %v", short, hungUp)
	}
}

// A frame of 1 GiB that claims the most elements it could have, and then ends,
// costs no more than the room made ahead.
func TestCountsAreBelievedAsElementsArrive(t *testing.T) {
	body := binary.BigEndian.AppendUint32(nil, 100_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Decode(NewReader(bufio.NewReader(bytes.NewReader(body)), MaxFrame), 0, &OffsetCommitResponse{}, nil)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func TestLongArraysArriveWhole(t *testing.T) {
	want := &ListOffsetsResponse{Topics: []ListOffsetsTopicResult{{Name: "t"}}}
	for i := range int32(5 * ahead) {
		want.Topics[0].Partitions = append(want.Topics[0].Partitions, with(func(p *ListOffsetsPartitionResult) {
			p.Index, p.OldStyleOffsets = i, []int64{int64(i), 0}
		}))
	}
	got := new(ListOffsetsResponse)
	if err := Decode(NewBytesReader(bodyOf(t, want, 0)), 0, got, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Error(err)
	}
}

func TestABrokerThatDoesNotKnowTheApiVersionsVersionAnswersInVersion0(t *testing.T) {
	body := unhex("0023 00000001 0012 0000 0003")
	want := with(func(r *ApiVersionsResponse) {
		r.ErrorCode, r.APIKeys = UnsupportedVersion, []APIVersionRange{{APIVersions, 0, 3}}
	})
	for _, r := range []*Reader{NewBytesReader(body), NewReader(bufio.NewReader(bytes.NewReader(body)), len(body))} {
		var got ApiVersionsResponse
		if err := Decode(r, 4, &got, nil); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestRequestsOfUnknownVersionsKeepTheirHeader(t *testing.T) {
	for frame, want := range map[string]string{
		"0012 0063 00000007 0002 6b63 00": "ApiVersions version 99 is not spoken, 0 to 5 are",
		"7d00 0000 00000007 ffff":         "API 32000 is not spoken",
		"0012 0000 0000":                  "RequestHeader: the frame ends too early: unexpected EOF",
		"0012 0000 00000007 0009 61":      "RequestHeader.ClientID: the frame ends too early: unexpected EOF",
		"0012 0003 00000007 ffff 01 00":   "RequestHeader: the frame ends too early: unexpected EOF",
		"0012 0000 00000007 ffff 00":      "ApiVersionsRequest: 1 bytes too many in version 0",
	} {
		h, _, err := DecodeRequest(NewBytesReader(unhex(frame)))
		if text(err) != want {
			t.Errorf("%s: %v", frame, err)
		}
		if len(frame) > 20 && h.Correlation != 7 {
			t.Errorf("%s: header %+v", frame, h)
		}
	}
	h, req, err := DecodeRequest(NewBytesReader(unhex("0012 0003 00000007 ffff 01 0201ff 01 01 00")))
	if err != nil || h.ClientID != nil || !reflect.DeepEqual(req, new(Default[ApiVersionsRequest]())) {
		t.Errorf("%+v, %+v, %v", h, req, err)
	}
}

// fetched is a response with records in all but the last two partitions, whose
// records are empty and null.
func fetched() *FetchResponse {
	m := new(Default[FetchResponse]())
	for i := range 2 {
		topic := FetchTopicResult{Name: "t" + itoa(i)}
		for j := range int32(4) {
			topic.Partitions = append(topic.Partitions, with(func(p *FetchPartitionResult) {
				p.Index, p.HighWatermark = j, int64(i*100+int(j))
				p.CurrentLeader.LeaderID = 9
				switch j {
				case 2:
					p.Records = Records{}
				case 3:
				default:
					p.Records = bytes.Repeat([]byte{byte(i), byte(j)}, 40)
				}
			}))
		}
		m.Topics = append(m.Topics, topic)
	}
	return m
}

func TestRecordsAreHandedOverWhereTheyStand(t *testing.T) {
	const version = 12
	body := bodyOf(t, fetched(), version)
	readers := map[string]func() *Reader{
		"memory": func() *Reader { return NewBytesReader(body) },
		"socket": func() *Reader {
			return NewReader(bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(append(body, "next frame"...))), 16), len(body))
		},
	}
	for name, reader := range readers {
		for take := range 81 { // what is left of the 80 is skipped
			var got FetchResponse
			var seen []string
			err := Decode(reader(), version, &got, func(path []any, b *Body) error {
				topic, p := path[1].(*FetchTopicResult), path[2].(*FetchPartitionResult)
				if len(path) != 3 || path[0] != &got || p.CurrentLeader.LeaderID != -1 {
					t.Fatalf("path %+v", path)
				}
				seen = append(seen, fmt.Sprintf("%s:%d@%d has %d", topic.Name, p.Index, p.HighWatermark, b.Left()))
				buf := make([]byte, min(take, b.Left()))
				if err := b.Take(buf); err != nil {
					return err
				}
				if want := bytes.Repeat([]byte{byte(topic.Name[1] - '0'), byte(p.Index)}, 40)[:len(buf)]; !bytes.Equal(buf, want) {
					t.Fatalf("%s:%d: %x", topic.Name, p.Index, buf)
				}
				return nil
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := "[t0:0@0 has 80 t0:1@1 has 80 t0:2@2 has 0 t0:3@3 has 0 t1:0@100 has 80 t1:1@101 has 80 t1:2@102 has 0 t1:3@103 has 0]"
			if fmt.Sprint(seen) != want {
				t.Fatalf("%s: %v", name, seen)
			}
			whole := fetched()
			for i := range whole.Topics {
				for j := range whole.Topics[i].Partitions {
					whole.Topics[i].Partitions[j].Records = nil
				}
			}
			if !reflect.DeepEqual(&got, whole) {
				t.Fatalf("%s:\n got %+v\nwant %+v", name, &got, whole)
			}
		}
	}
}

func TestAnErrorOfTheRecordsFuncComesBackAsItIs(t *testing.T) {
	body := bodyOf(t, fetched(), 12)
	stop := errors.New("stop")
	calls := 0
	err := Decode(NewBytesReader(body), 12, new(FetchResponse), func([]any, *Body) error {
		calls++
		return stop
	})
	if err != stop || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestABodyThatBreaksOffIsAnErrorEvenIfNobodyLooked(t *testing.T) {
	body := bodyOf(t, fetched(), 12)
	broken := errors.New("connection reset")
	for _, end := range []struct{ err, want error }{{io.EOF, io.ErrUnexpectedEOF}, {broken, broken}} {
		for _, look := range []bool{true, false} {
			src := io.MultiReader(bytes.NewReader(body[:60]), iotest.ErrReader(end.err))
			err := Decode(NewReader(bufio.NewReader(src), len(body)), 12, new(FetchResponse), func(_ []any, b *Body) error {
				if look {
					return b.Take(make([]byte, b.Left()))
				}
				return nil
			})
			if !errors.Is(err, end.want) {
				t.Errorf("looking %t: %v, want %v", look, err, end.want)
			}
		}
	}
}

func TestADecodedResponseKeepsNothingOfTheOneBefore(t *testing.T) {
	long, short := fetched(), new(Default[FetchResponse]())
	for i := range long.Topics[0].Partitions {
		long.Topics[0].Partitions[i].AbortedTransactions = []AbortedTransaction{{1, 2}, {3, 4}}
	}
	short.Topics = []FetchTopicResult{{Name: "u", Partitions: []FetchPartitionResult{Default[FetchPartitionResult]()}}}
	var reused FetchResponse
	for _, want := range []*FetchResponse{long, short, long} {
		for _, version := range []int16{12, 17} {
			body := bodyOf(t, want, version)
			var fresh FetchResponse
			if err := errors.Join(Decode(NewBytesReader(body), version, &reused, nil), Decode(NewBytesReader(body), version, &fresh, nil)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(reused, fresh) {
				t.Errorf("version %d:\n got %+v\nwant %+v", version, reused, fresh)
			}
			if err := Decode(NewBytesReader(body), version, &reused, func([]any, *Body) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if p := reused.Topics[0].Partitions[0]; p.Records != nil {
				t.Errorf("version %d: streamed, but there is %x", version, p.Records)
			}
		}
	}
}

func TestStreamingIntoAUsedResponseAllocatesNothingPerPartition(t *testing.T) {
	body := bodyOf(t, fetch100(100), 17)
	src := bytes.NewReader(body)
	br := bufio.NewReader(src)
	var resp FetchResponse
	n := testing.AllocsPerRun(10, func() {
		src.Reset(body)
		br.Reset(src)
		err := Decode(NewReader(br, len(body)), 17, &resp, func(_ []any, b *Body) error { return b.Skip(b.Left()) })
		if err != nil {
			t.Fatal(err)
		}
	})
	if n > 5 {
		t.Errorf("%v allocations for 100 partitions", n)
	}
}

// TestMemoryIsGivenForSoMuch has the elements of an array, and the bytes of a
// string, cost what they take.
func TestMemoryIsGivenForSoMuch(t *testing.T) {
	resp := Default[MetadataResponse]()
	for range 5000 {
		topic := Default[MetadataTopic]()
		topic.Name = new("name")
		resp.Topics = append(resp.Topics, topic)
	}
	body := bodyOf(t, &resp, 1)
	for _, tt := range []struct {
		room int
		want string
	}{
		{2 << 20, ""},
		{100 << 10, "Topics: more than is believable of one response"},
		{1, "Topics: more than is believable of one response"},
	} {
		got := Default[MetadataResponse]()
		v := reflect.ValueOf(&got).Elem()
		p, err := planOf(v.Type(), 1, 9)
		if err != nil {
			t.Fatal(err)
		}
		d := decoder{r: NewBytesReader(body), held: maxHeld - tt.room}
		if err := d.message(p, v); text(err) != tt.want && !(err == nil && tt.want == "") {
			t.Errorf("%d bytes of room: %v, want %s", tt.room, err, tt.want)
		}
	}
}
