package format

import (
	"fmt"
	"strings"
)

// item gives the meaning of a token.
func (t *token) item() (item, error) {
	it := item{verb: verb(t.verb), at: t.at, src: t.src, text: t.text}
	mods := t.mods
	switch t.verb {
	case 0:
		return it, nil
	case 'v':
		it.verb = value
	case 'R':
		it.verb, it.enc, it.width = valueSize, fixed, 4
		if len(mods) > 0 {
			return it, &SyntaxError{At: mods[0].at, Msg: "%R takes no modifier: it is %S{big32}"}
		}
	case 'h':
		it.verb = headerList
		if len(mods) > 0 {
			it.verb, it.text = oneHeader, []byte(mods[0].text)
			if len(it.text) == 0 {
				return it, &SyntaxError{At: mods[0].at, Msg: "%h{NAME} wants a header's name"}
			}
			mods = mods[1:]
		}
	}
	if len(mods) > 1 {
		return it, &SyntaxError{At: mods[1].at - 1, Msg: t.src + ": one modifier is enough"}
	}
	if len(mods) == 0 {
		return it, nil
	}
	return it, it.modify(mods[0])
}

// modify applies a modifier.
func (it *item) modify(m modifier) error {
	known := ""
	switch it.verb {
	case topic:
		known = "json"
		if m.text == "json" {
			it.enc = jsoned
			return nil
		}
	case key, value, oneHeader:
		known = "hex, base64, json and unpack:LAYOUT"
		switch {
		case m.text == "hex":
			it.enc = hexed
			return nil
		case m.text == "base64":
			it.enc = base64ed
			return nil
		case m.text == "json":
			it.enc = jsoned
			return nil
		case strings.HasPrefix(m.text, "unpack:"):
			it.enc = unpacked
			var err error
			it.layout, err = parseLayout(m.text[len("unpack:"):], m.at+len("unpack:"))
			return err
		}
	case headerCount:
		known = "block, big8 to big64, little8 to little64 and varint"
		if m.text == "block" {
			it.verb = headerBlock
			return nil
		}
	case timestamp:
		known = "rfc3339, a time as in %Y-%m-%d, big8 to big64, little8 to little64 and varint"
		switch {
		case m.text == "rfc3339":
			it.enc = rfc3339
			return nil
		case strings.Contains(m.text, "%"):
			it.enc, it.spec = strftime, m.text
			return checkTime(m)
		}
	default:
		known = "big8 to big64, little8 to little64 and varint"
	}
	switch it.verb {
	case topic, key, value, oneHeader, headerList:
	default:
		if it.numeric(m.text) {
			return nil
		}
	}
	return &SyntaxError{At: m.at, Msg: fmt.Sprintf("%q is no modifier of %s", m.text, it.src[:2]),
		Hint: "it takes " + known + `; a literal { is \x7b`}
}

// numeric applies a modifier of numbers, if that is what it is.
func (it *item) numeric(name string) bool {
	if name == "varint" {
		it.enc = varint
		return true
	}
	bits, big := strings.CutPrefix(name, "big")
	if !big {
		var little bool
		if bits, little = strings.CutPrefix(name, "little"); !little {
			return false
		}
	}
	switch bits {
	case "8":
		it.width = 1
	case "16":
		it.width = 2
	case "32":
		it.width = 4
	case "64":
		it.width = 8
	default:
		return false
	}
	it.enc, it.little = fixed, !big
	return true
}
