package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// flatten checks a section of the file, with the sections in it, and gives back
// its settings under keys of ours, -X names translated. where begins messages.
func (k *keys) flatten(section map[string]any, where string) (map[string]any, error) {
	flat := map[string]any{}
	if err := k.walk(k.root, "", section, where, flat); err != nil {
		return nil, err
	}
	return flat, nil
}

func (k *keys) walk(cmd *cobra.Command, prefix string, section map[string]any, where string, flat map[string]any) error {
	names := sortedKeys(section)
	slices.SortStableFunc(names, weakLast)
	for _, name := range names {
		value := section[name]
		if sub := child(cmd, name); sub != nil {
			nested, ok := value.(map[string]any)
			if value != nil && !ok {
				return usagef("%s: %s is a command: want a section of its flags", where, name)
			}
			if err := k.walk(sub, prefix+sub.Name()+delimiter, nested, where+": "+name, flat); err != nil {
				return err
			}
			continue
		}
		if slices.Contains(typedOnly, name) {
			return usagef("%s: %s counts only when typed", where, name)
		}
		if f := flagOf(cmd, name); f != nil {
			flat[prefix+name] = value
			continue
		}
		if cmd == k.root {
			if done, err := k.property(name, value, where, flat); done || err != nil {
				return err
			}
		}
		return unknownKey(where, name, k.names(cmd))
	}
	return nil
}

// weakLast orders names so that those that are several at once come last, when
// what is said of a single one is known.
func weakLast(a, b string) int {
	weak := func(name string) int {
		if p, ok := lookupProperty(name); ok && p.sets != nil {
			return 1
		}
		return 0
	}
	return weak(a) - weak(b)
}

// property takes a Java, librdkafka or kafka-python name in the file.
func (k *keys) property(name string, value any, where string, flat map[string]any) (bool, error) {
	p, ok := lookupProperty(name)
	if !ok {
		return false, nil
	}
	set, err := p.settings(k, fmt.Sprint(value))
	if err != nil {
		return true, usagef("%s: %s: %v", where, name, err)
	}
	for key, text := range set {
		if slices.Contains(typedOnly, p.flag) {
			return true, usagef("%s: %s means --%s, which counts only when typed", where, name, p.flag)
		}
		// The same thing under our own name wins, whatever their order.
		if _, own := flat[key]; !own {
			flat[key] = text
		}
	}
	return true, nil
}

// child is the command's subcommand of that name.
func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name && !c.Hidden {
			return c
		}
	}
	return nil
}

// flagOf is a flag the file may set for cmd: a global one at the root, one of
// its own elsewhere.
func flagOf(cmd *cobra.Command, name string) *pflag.Flag {
	if name == "help" || name == "config" {
		return nil
	}
	if !cmd.HasParent() {
		return cmd.PersistentFlags().Lookup(name)
	}
	return cmd.LocalNonPersistentFlags().Lookup(name)
}

// names lists what may stand in cmd's section.
func (k *keys) names(cmd *cobra.Command) []string {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	flags := cmd.LocalNonPersistentFlags()
	if cmd == k.root {
		flags = cmd.PersistentFlags()
		names = append(names, "profiles")
		names = append(names, propertyNames()...)
	}
	flags.VisitAll(func(f *pflag.Flag) {
		if flagOf(cmd, f.Name) != nil && !slices.Contains(typedOnly, f.Name) {
			names = append(names, f.Name)
		}
	})
	return names
}

func unknownKey(where, name string, have []string) error {
	u := usagef("%s: unknown key %s", where, name)
	if near := nearest(name, have); near != "" {
		u.hint = "nearest is '" + near + "'"
	}
	return u
}

// applyX puts one -X over what viper found elsewhere.
func (e *env) applyX(v *viper.Viper, k *keys, kv string, typed bool) error {
	name, value, ok := strings.Cut(kv, "=")
	name = strings.TrimSpace(name)
	if !ok {
		return usagef("-X %s: want KEY=VALUE", kv).withHint("-X list shows the keys")
	}
	set, weak, err := k.resolveX(name, value)
	if err != nil {
		return err
	}
	if len(set) == 0 {
		e.verbose(1, "-X %s is accepted and has no effect here", name)
	}
	for key, text := range set {
		if f := k.flags[key]; f != nil && slices.Contains(typedOnly, f.Name) {
			if err := k.setTyped(f, kv, text, typed); err != nil {
				return err
			}
			continue
		}
		if f := k.flags[key]; f != nil && !f.Changed && (!weak || k.from[key] == "") {
			v.Set(key, text)
			k.from[key] = "-X " + kv
		}
	}
	return nil
}

// setTyped sets a flag that counts only when typed, as an -X may be.
func (k *keys) setTyped(f *pflag.Flag, kv, text string, typed bool) error {
	if !typed {
		return usagef("%sX: %s means --%s, which counts only when typed", envPrefix, kv, f.Name)
	}
	if f.Changed {
		return nil
	}
	if err := setFlag(f, text); err != nil {
		return usagef("-X %s: %v", kv, err)
	}
	f.Changed = true
	return nil
}

// resolveX turns one -X into settings by key; weak says that they give way.
func (k *keys) resolveX(name, value string) (set map[string]string, weak bool, err error) {
	lower := strings.ToLower(name)
	if f := k.root.PersistentFlags().Lookup(lower); f != nil && tuningFlag(lower) {
		return map[string]string{lower: value}, false, nil
	}
	p, ok := lookupProperty(lower)
	if !ok {
		u := usagef("-X %s: unknown key", name)
		if near := nearest(lower, append(propertyNames(), tuningNames()...)); near != "" {
			u.hint = "nearest is '" + near + "'; -X list shows all"
		} else {
			u.hint = "-X list shows the keys"
		}
		return nil, false, u
	}
	set, err = p.settings(k, value)
	if err != nil {
		return nil, false, usagef("-X %s: %v", name+"="+value, err)
	}
	return set, p.sets != nil, nil
}

// unknownEnv lists warnings about KAFKACTL_ variables that nothing reads: a
// misspelt one would otherwise be silent.
func (k *keys) unknownEnv(environ []string) []string {
	// Mostly all are flags of this very command, and no other has to be asked.
	own := map[string]bool{}
	for key, f := range k.flags {
		own[k.env(key)] = !slices.Contains(typedOnly, f.Name)
	}
	var left []string
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" && !own[name] &&
			!strings.HasPrefix(name, envPrefix+"TEST_") { // those are for our tests
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	known, typed := k.allEnv()
	var warnings []string
	slices.Sort(left)
	for _, name := range left {
		switch {
		case slices.Contains(typed, name):
			warnings = append(warnings, name+" is ignored: it counts only when typed")
		case !slices.Contains(known, name):
			w := name + " is not a variable of kafkactl"
			if near := nearest(name, known); near != "" {
				w += "; nearest is " + near
			}
			warnings = append(warnings, w)
		}
	}
	return warnings
}

// allEnv names the variables of every command, and those of flags that count
// only when typed.
func (k *keys) allEnv() (known, typed []string) {
	k.root.PersistentFlags().VisitAll(func(f *pflag.Flag) { known = append(known, k.env(f.Name)) })
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		section := sectionOf(cmd)
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			name := k.env(section + delimiter + f.Name)
			switch {
			case f.Name == "help":
			case slices.Contains(typedOnly, f.Name):
				typed = append(typed, name)
			default:
				known = append(known, name)
			}
		})
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	for _, c := range k.root.Commands() {
		visit(c)
	}
	return known, typed
}
