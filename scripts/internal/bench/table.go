//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one job, measured in turns.
type row struct {
	job        string
	kcat, ours []cost
	stored     []int64 // bytes on the broker's disk, kcat's and ours; nil if nothing was written
}

// target is what a job should reach: ratios to kcat, and MiB.
type target struct{ wall, cpu, rss float64 }

// targets are the project's own, by the job's name.
func targets() map[string]target {
	return map[string]target{
		"consume none":            {5, 5, 32},
		"consume none, piped":     {5, 5, 32},
		"consume lz4":             {8, 8, 32},
		"consume snappy":          {8, 8, 32},
		"consume gzip":            {4, 4, 48},
		"consume zstd":            {4, 4, 48},
		"produce none":            {2, 4, 32},
		"produce lz4":             {1.8, 3, 32},
		"produce snappy":          {1.8, 3, 32},
		"produce zstd":            {1.5, 2, 48},
		"0.8.2.2: produce snappy": {1, 1.5, 48},
		"0.8.2.2: consume snappy": {3, 3, 48},
		"metadata":                {1, 0, 20},
	}
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// middle is the median of one figure over all turns.
func middle(costs []cost, of func(cost) float64) float64 {
	var values []float64
	for _, c := range costs {
		values = append(values, of(c))
	}
	return median(values)
}

// ratio is the median over the turns of kcat's figure by ours in that turn.
func (r row) ratio(of func(cost) float64) float64 {
	var values []float64
	for i := range r.ours {
		values = append(values, of(r.kcat[i])/of(r.ours[i]))
	}
	return median(values)
}

func wall(c cost) float64 { return c.Wall }
func cpu(c cost) float64  { return c.CPU }
func rss(c cost) float64  { return c.RSS }

func peak(costs []cost) float64 {
	return rss(slices.MaxFunc(costs, func(a, b cost) int { return int(a.RSS - b.RSS) }))
}

func (r row) markdown() string {
	seconds := func(costs []cost) string {
		format := "%.2f s, %.2f s, %.0f MB"
		if middle(costs, wall) < 0.1 {
			return fmt.Sprintf("%.1f ms, %.1f ms, %.0f MB", 1000*middle(costs, wall), 1000*middle(costs, cpu), peak(costs))
		}
		return fmt.Sprintf(format, middle(costs, wall), middle(costs, cpu), peak(costs))
	}
	w, c := r.ratio(wall), r.ratio(cpu)
	verdict := ""
	if t, ok := targets()[r.job]; ok {
		verdict = fmt.Sprintf("%.3g / %.3g, %.0f MB", t.wall, t.cpu, t.rss)
		if t.cpu == 0 {
			verdict = fmt.Sprintf("%.3g, %.0f MB", t.wall, t.rss)
		}
		var missed []string
		if w < t.wall {
			missed = append(missed, "wall")
		}
		if c < t.cpu {
			missed = append(missed, "CPU")
		}
		if peak(r.ours) > t.rss {
			missed = append(missed, "memory")
		}
		if missed != nil {
			verdict += ": **missed** " + strings.Join(missed, ", ")
		}
	}
	job := r.job
	if r.stored != nil {
		job += fmt.Sprintf(" (stored: %.1f, %.1f MB)", float64(r.stored[0])/1e6, float64(r.stored[1])/1e6)
	}
	return fmt.Sprintf("| %s | %s | %s | %.1f / %.1f | %s |", job, seconds(r.kcat), seconds(r.ours), w, c, verdict)
}

func (b *bench) print(w io.Writer, version string) {
	fmt.Fprintf(w, "\nMeasured %s on %d cores (%s), Apache Kafka %s on loopback, %s.\n",
		time.Now().Format(time.DateOnly), runtime.NumCPU(), processor(), version, b.versions(context.Background()))
	data, filler := "words as in a log", "kcat"
	if b.plain {
		data = "alike but for a number"
	}
	if b.filler {
		filler = "kafkactl"
	}
	fmt.Fprintf(w, "%d records of %d bytes, %s, 4 partitions, those to consume written by %s; ", b.lines, b.size, data, filler)
	fmt.Fprintf(w, "medians of %d turns, taken alternately; memory is the peak.\n\n", b.rounds)
	fmt.Fprintln(w, "| job | kcat: wall, CPU, memory | kafkactl: wall, CPU, memory | ratio wall / CPU | target |")
	fmt.Fprintln(w, "|---|---|---|---|---|")
	for _, r := range b.rows {
		fmt.Fprintln(w, r.markdown())
	}
	if b.latency == nil {
		return
	}
	fmt.Fprintf(w, "\nOne record each %v, from the sender's socket to the follower's line:\n\n", tailEvery)
	fmt.Fprintln(w, "| follower | p50 | p99 |")
	fmt.Fprintln(w, "|---|---|---|")
	for _, l := range b.latency {
		fmt.Fprintf(w, "| %s | %.2f ms | %.2f ms |\n", l.tool, l.p50.Seconds()*1000, l.p99.Seconds()*1000)
	}
}

// processor is the processor's own name, where the system tells it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			}
		}
	}
	return runtime.GOOS + "/" + runtime.GOARCH
}
