package sink

func descriptors() int { return 2048 }

func tooMany(error) bool { return false }
