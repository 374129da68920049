//go:build unix

package kafkatest

import "testing"

func TestVersionChoosesScalaAndMode(t *testing.T) {
	for _, c := range []struct {
		version, scala string
		kraft, zk      bool
	}{
		{"0.8.2.2", "2.11", false, true},
		{"0.10.1.1", "2.11", false, true},
		{"0.10.2.2", "2.12", false, true},
		{"2.4.1", "2.12", false, true},
		{"2.8.2", "2.13", false, true},
		{"3.3.2", "2.13", true, true},
		{"3.9.1", "2.13", true, true},
		{"4.0.0", "2.13", true, false},
		{"4.10.0", "2.13", true, false},
	} {
		v, err := ParseVersion(c.version)
		if err != nil {
			t.Fatal(err)
		}
		if v.scala() != c.scala || v.kraft() != c.kraft || v.zookeeper() != c.zk {
			t.Errorf("%s: scala %s, KRaft %v, ZooKeeper %v; want %s, %v, %v",
				v, v.scala(), v.kraft(), v.zookeeper(), c.scala, c.kraft, c.zk)
		}
	}
}

func TestVersionRefusesWhatIsNoRelease(t *testing.T) {
	for _, s := range []string{"", "4", "4.3", "4.3.x", "4.3.-1", "1.2.3.4.5", "latest"} {
		if _, err := ParseVersion(s); err == nil {
			t.Errorf("%q is taken for a release", s)
		}
	}
}

func TestZooKeeperModeIsRefusedWhereThereIsNone(t *testing.T) {
	if _, _, err := (Options{Version: "4.3.1", ZooKeeper: true}).defaults(); err == nil {
		t.Error("4.3.1 would run on ZooKeeper")
	}
	if o, _, err := (Options{Version: "0.8.2.2"}).defaults(); err != nil || !o.ZooKeeper {
		t.Errorf("0.8.2.2: ZooKeeper %v, %v", o.ZooKeeper, err)
	}
}

func TestFreePortsAreDistinct(t *testing.T) {
	ports, err := freePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if seen[p] {
			t.Errorf("port %d twice", p)
		}
		seen[p] = true
	}
}
