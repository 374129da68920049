package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// config is what the flags, the environment, the profile and the file agree on,
// decoded once. Values of a single command live in that command's options.
type config struct {
	brokers string
	file    string
	profile string
	x       []string
	timeout time.Duration
	color   string
	verbose int
	quiet   bool
	tuning  tuning
}

func defaultConfig() config {
	return config{brokers: "127.0.0.1:9092", timeout: 30 * time.Second, color: "auto", tuning: defaultTuning()}
}

// addGlobalFlags binds the flags every command has to the typed config.
func addGlobalFlags(fs *pflag.FlagSet, c *config) {
	fs.StringVarP(&c.brokers, "brokers", "b", c.brokers, "brokers to begin with, `HOST[:PORT],...`")
	fs.StringVar(&c.file, "config", "", "configuration `FILE` (default ${XDG_CONFIG_HOME:-~/.config}/kafkactl/kafkactl.yaml)")
	fs.StringVar(&c.profile, "profile", "", "section `NAME` of the file's profiles")
	fs.StringArrayVarP(&c.x, "X", "X", nil, "set a tuning `KEY=VALUE`, Java's and librdkafka's names too; -X list lists them")
	fs.Var(span(&c.timeout), "timeout", "bound of one operation with all its retries")
	fs.Var(choice(&c.color, "auto", "always", "never"), "color", "colours")
	fs.CountVarP(&c.verbose, "verbose", "v", "tell more on stderr; twice for every request")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "only errors on stderr")
	addTuningFlags(fs, &c.tuning)
}

// typedOnly are the flags that mean a decision of this moment. They count only
// on the command line: a forgotten variable must never confirm anything.
var typedOnly = []string{"yes", "force", "create", "dry-run", "follow", "no-commit"}

const envPrefix = "KAFKACTL_"

// delimiter keeps viper from taking the dots of linger.ms for nesting.
const delimiter = "::"

// load fills every flag of cmd that was not typed from -X, the environment, the
// profile and the file, in this order. Each value goes through the flag's own
// parser, so it is checked as if typed, and the flag then counts as changed.
func (e *env) load(cmd *cobra.Command) error {
	if !e.configured(os.Environ()) {
		return e.cfg.check()
	}
	k := keysOf(cmd)
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	for key, f := range k.flags {
		if name := k.env(key); os.Getenv(name) != "" && !slices.Contains(typedOnly, f.Name) {
			if err := v.BindEnv(key, name); err != nil {
				return err
			}
		}
	}
	// -X, where typed, stands above the environment; elsewhere it is one more
	// way to write a key of its own layer.
	typedX := e.cfg.x
	if err := e.readFiles(v, k); err != nil {
		return err
	}
	typed := len(typedX) > 0
	if !typed {
		typedX = strings.Fields(os.Getenv(envPrefix + "X"))
	}
	for _, kv := range typedX {
		if err := e.applyX(v, k, kv, typed); err != nil {
			return err
		}
	}
	if err := k.fill(v); err != nil {
		return err
	}
	for _, name := range k.unknownEnv(os.Environ()) {
		e.warn("%s", name)
	}
	return e.cfg.check()
}

// configured says that there is anything to load: mostly there is not, and then
// half a millisecond is saved.
func (e *env) configured(environ []string) bool {
	if len(e.cfg.x) > 0 || e.cfg.profile != "" || e.cfg.file != "" {
		return true
	}
	for _, kv := range environ {
		if strings.HasPrefix(kv, envPrefix) && !strings.HasPrefix(kv, envPrefix+"TEST_") {
			return true
		}
	}
	path := defaultConfigFile()
	if path == "" {
		return false
	}
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// check refuses what no single flag's parser can.
func (c *config) check() error {
	if c.timeout <= 0 {
		return usagef("--timeout %v: must be more than nothing", c.timeout)
	}
	return c.tuning.check()
}

// checkFile refuses a --config that is not there, for commands that read none.
func (c *config) checkFile() error {
	if c.file == "" {
		return nil
	}
	if _, err := os.Stat(c.file); err != nil {
		return usagef("--config %s: %v", c.file, plainFileError(err))
	}
	return nil
}

// configFile is the file to read and whether somebody named it; "" where there
// is no home to look in.
func (c *config) configFile() (path string, asked bool) {
	if c.file != "" {
		return c.file, true
	}
	if path := os.Getenv(envPrefix + "CONFIG"); path != "" {
		return path, true
	}
	return defaultConfigFile(), false
}

// profiles lists the profiles of the file, nothing where it cannot be read.
func (e *env) profiles() []string {
	path, _ := e.cfg.configFile()
	file := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	file.SetConfigFile(path)
	file.SetConfigType("yaml")
	if file.ReadInConfig() != nil {
		return nil
	}
	return sortedKeys(file.GetStringMap("profiles"))
}

// readFiles merges the file, and over it the chosen profile, into v.
func (e *env) readFiles(v *viper.Viper, k *keys) error {
	path, asked := e.cfg.configFile()
	if path == "" {
		return k.noProfile(e.cfg.profile, path)
	}
	file := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	file.SetConfigFile(path)
	file.SetConfigType("yaml")
	if err := file.ReadInConfig(); err != nil {
		if errors.Is(err, fs.ErrNotExist) && !asked {
			return k.noProfile(e.cfg.profile, path)
		}
		return usagef("--config %s: %v", path, plainFileError(err))
	}
	all := file.AllSettings()
	profiles, _ := all["profiles"].(map[string]any)
	if all["profiles"] != nil && profiles == nil {
		return usagef("%s: profiles: want a section for each profile", path)
	}
	delete(all, "profiles")
	// Every profile is checked, not only the one in use: a typo found today
	// is not found in an emergency.
	for _, name := range sortedKeys(profiles) {
		section, ok := profiles[name].(map[string]any)
		if profiles[name] != nil && !ok {
			return usagef("%s: profiles.%s: want a section", path, name)
		}
		flat, err := k.flatten(section, path+": profiles."+name)
		if err != nil {
			return err
		}
		profiles[name] = flat
	}
	flat, err := k.flatten(all, path)
	if err != nil {
		return err
	}
	if err := v.MergeConfigMap(flat); err != nil {
		return err
	}
	name := e.cfg.profile
	if name == "" {
		name = v.GetString("profile")
	}
	if name == "" {
		return nil
	}
	section, ok := profiles[strings.ToLower(name)]
	if !ok {
		return k.noProfileIn(name, path, sortedKeys(profiles))
	}
	return v.MergeConfigMap(section.(map[string]any))
}

// defaultConfigFile is kafkactl.yaml and not config.yml, which belongs to
// another program of our name.
func defaultConfigFile() string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "kafkactl", "kafkactl.yaml")
}

// plainFileError drops the path that the caller names anyway.
func plainFileError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func (k *keys) noProfile(name, path string) error {
	if name == "" {
		name = os.Getenv(envPrefix + "PROFILE")
	}
	if name == "" {
		return nil
	}
	return usagef("--profile %s: there is no configuration file %s", name, path)
}

func (k *keys) noProfileIn(name, path string, have []string) error {
	u := usagef("--profile %s: %s has no such profile", name, path)
	if len(have) > 0 {
		u.hint = "it has " + strings.Join(have, ", ")
	}
	return u
}

// keys knows the configuration keys of every command: the flag's name for a
// global flag, section::name for one of a command, parent::child::name for one
// of a nested command.
type keys struct {
	root  *cobra.Command
	flags map[string]*pflag.Flag // what the running command takes, by key
	from  map[string]string      // where a value came from, if from an -X
}

func keysOf(cmd *cobra.Command) *keys {
	k := &keys{root: cmd.Root(), flags: map[string]*pflag.Flag{}, from: map[string]string{}}
	global := k.root.PersistentFlags()
	prefix := sectionOf(cmd)
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Name == "help":
		case global.Lookup(f.Name) == f:
			k.flags[f.Name] = f
		default:
			k.flags[prefix+delimiter+f.Name] = f
		}
	})
	return k
}

// sectionOf is "offsets::get" for kafkactl offsets get.
func sectionOf(cmd *cobra.Command) string {
	var path []string
	for c := cmd; c.HasParent(); c = c.Parent() {
		path = append(path, c.Name())
	}
	slices.Reverse(path)
	return strings.Join(path, delimiter)
}

var envNames = strings.NewReplacer(delimiter, "_", "-", "_")

// env is a key's variable.
func (k *keys) env(key string) string {
	return envPrefix + strings.ToUpper(envNames.Replace(key))
}

// fill hands each value to the flag that was not typed. A flag set by -X has
// been put above the environment by then.
func (k *keys) fill(v *viper.Viper) error {
	for _, key := range sortedKeys(k.flags) {
		f := k.flags[key]
		if f.Changed || f.Name == "X" || slices.Contains(typedOnly, f.Name) || !v.IsSet(strings.ToLower(key)) {
			continue
		}
		if err := setFlag(f, v.Get(strings.ToLower(key))); err != nil {
			return usagef("%s: %v", k.origin(key), err)
		}
		f.Changed = true
	}
	return nil
}

// origin names where a bad value came from.
func (k *keys) origin(key string) string {
	if x := k.from[key]; x != "" {
		return x
	}
	if name := k.env(key); os.Getenv(name) != "" {
		return name
	}
	return strings.ReplaceAll(key, delimiter, ".") + " in the configuration"
}

// setFlag gives a flag one value, or a list where the flag takes several.
func setFlag(f *pflag.Flag, value any) error {
	list, isList := value.([]any)
	if many, ok := f.Value.(pflag.SliceValue); ok {
		if !isList {
			list = []any{value}
		}
		text := make([]string, len(list))
		for i, item := range list {
			text[i] = fmt.Sprint(item)
		}
		return many.Replace(text)
	}
	if isList {
		text := make([]string, len(list))
		for i, item := range list {
			text[i] = fmt.Sprint(item)
		}
		value = strings.Join(text, ",")
	}
	return f.Value.Set(fmt.Sprint(value))
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
