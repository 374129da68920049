package wire

// ApiVersionsRequest asks which versions of which APIs a broker speaks (API 18,
// KIP-35, KIP-511). Its response header is always version 0.
type ApiVersionsRequest struct {
	ClientSoftwareName    string  `kafka:"3+,ignorable"`
	ClientSoftwareVersion string  `kafka:"3+,ignorable"`
	ClusterID             *string `kafka:"5+,null=5+,ignorable"`
	NodeID                int32   `kafka:"5+,default=-1,ignorable"`
}

// ApiVersionsResponse answers an ApiVersionsRequest. A broker that does not know
// the version asked for answers UNSUPPORTED_VERSION in version 0.
type ApiVersionsResponse struct {
	ErrorCode              Code
	APIKeys                []APIVersionRange
	ThrottleMs             int32              `kafka:"1+,ignorable"`
	SupportedFeatures      []SupportedFeature `kafka:"tag=0,3+,ignorable"`
	FinalizedFeaturesEpoch int64              `kafka:"tag=1,3+,default=-1,ignorable"`
	FinalizedFeatures      []FinalizedFeature `kafka:"tag=2,3+,ignorable"`
	ZkMigrationReady       bool               `kafka:"tag=3,3+,ignorable"`
}

// APIVersionRange is one API's version window on a broker, both ends included.
type APIVersionRange struct {
	APIKey     Key
	MinVersion int16
	MaxVersion int16
}

// SupportedFeature is a feature a broker could be upgraded to (KIP-584).
type SupportedFeature struct {
	Name       string
	MinVersion int16
	MaxVersion int16
}

// FinalizedFeature is a feature level in force on the whole cluster.
type FinalizedFeature struct {
	Name            string
	MaxVersionLevel int16
	MinVersionLevel int16
}
