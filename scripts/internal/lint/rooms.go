package main

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "kafkactl"

// rooms is the import table of ARCHITECTURE.md: what each package may import of
// this module and of others, besides the standard library. Tests are free, but
// for what reserved says.
func rooms() map[string][]string {
	const (
		record    = module + "/internal/record"
		wire      = module + "/internal/wire"
		codec     = module + "/internal/wire/codec"
		broker    = module + "/internal/broker"
		offsets   = module + "/internal/offsets"
		consume   = module + "/internal/consume"
		produce   = module + "/internal/produce"
		format    = module + "/internal/format"
		jsonl     = module + "/internal/jsonl"
		kafkatest = module + "/internal/kafkatest"
		durable   = module + "/internal/durable"
		sync      = "golang.org/x/sync/"
		any       = "*"
	)
	return map[string][]string{
		"internal/record":            {},
		"internal/durable":           {},
		"internal/wire":              {},
		"internal/wire/codec":        {record, wire, "github.com/klauspost/compress/", "github.com/pierrec/lz4/v4"},
		"internal/broker":            {wire, sync},
		"internal/broker/brokertest": {record, wire, codec},
		"internal/offsets":           {broker, wire, codec, record, sync},
		"internal/consume":           {offsets, broker, wire, codec, record, sync},
		"internal/produce":           {broker, wire, codec, record, sync, "golang.org/x/time/rate"},
		"internal/checkpoint":        {produce, offsets, durable, broker, wire, record, "github.com/gofrs/flock"},
		"internal/input":             {produce, record, format, jsonl, "github.com/klauspost/compress/", "github.com/pierrec/lz4/v4"},
		"internal/sink":              {consume, record, format, jsonl, durable, "golang.org/x/sys/", "github.com/klauspost/compress/", "github.com/gofrs/flock"},
		"internal/format":            {record, jsonl, "github.com/itchyny/timefmt-go"},
		"internal/jsonl":             {record},
		"internal/filter":            {record, "github.com/itchyny/gojq"},
		"internal/journal":           {offsets, durable, "github.com/gofrs/flock"},
		"internal/group":             {consume, offsets, broker, wire},
		"internal/kafkatest":         {},
		"internal/badnet":            {wire},
		"internal/interop":           {kafkatest},
		"internal/matrix":            {kafkatest},
		"cmd/kafkactl":               {any},
		"scripts":                    {any},
	}
}

// reserved says where alone a library may be imported, tests aside.
func reserved() map[string][]string {
	return map[string][]string{
		"github.com/spf13/":                    {"cmd/kafkactl/"},
		"github.com/fatih/color":               {"cmd/kafkactl/"},
		"github.com/jedib0t/go-pretty/":        {"cmd/kafkactl/"},
		"golang.org/x/term":                    {"cmd/kafkactl/"},
		"os/signal":                            {"cmd/kafkactl/", "scripts/"},
		"github.com/twmb/franz-go":             {"cmd/kafkactl/dev"},
		module + "/internal/kafkatest":         {"scripts/", "internal/kafkatest/", "internal/interop/"},
		module + "/internal/broker/brokertest": {},
		module + "/internal/badnet":            {},
	}
}

// testOnly are libraries that never reach the binary.
func testOnly() []string {
	return []string{
		"github.com/twmb/franz-go/pkg/kmsg", "github.com/twmb/franz-go/pkg/kgo",
		"github.com/rogpeppe/go-internal", "github.com/creack/pty",
	}
}

func (l *linter) imports(name, dir string, test bool, f *ast.File) {
	if test {
		return
	}
	room := dir
	if strings.HasPrefix(dir, "scripts/") {
		room = "scripts"
	}
	allowed, known := rooms()[room]
	if !known {
		l.complain(f.Package, "package %s is not in the import table of scripts/internal/lint", dir)
		return
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if !standard(imported) && imported != path.Join(module, dir) && !covers(allowed, imported) {
			l.complain(spec.Pos(), "%s must not import %s", dir, imported)
		}
		for library, homes := range reserved() {
			home := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
			if strings.HasPrefix(imported, library) && !slices.ContainsFunc(homes, home) {
				l.complain(spec.Pos(), "%s may be imported only in %v and tests", imported, homes)
			}
		}
		if covers(testOnly(), imported) {
			l.complain(spec.Pos(), "%s may be imported only in tests", imported)
		}
	}
}

// covers tells whether an entry is path itself, a directory above it that ends
// in a slash, or everything.
func covers(entries []string, path string) bool {
	return slices.ContainsFunc(entries, func(e string) bool {
		return e == "*" || e == path || strings.HasSuffix(e, "/") && strings.HasPrefix(path, e)
	})
}

// standard tells whether a package is Go's own: its first element has no dot,
// and it is not ours.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != module
}
