package wire

import (
	"reflect"
	"testing"
)

func TestEveryPlanCompiles(t *testing.T) {
	for _, api := range APIs() {
		for v := api.Min; v <= api.Max; v++ {
			for _, m := range []any{api.Request(), api.Response()} {
				if _, err := planOf(reflect.TypeOf(m).Elem(), v, api.Flex); err != nil {
					t.Errorf("%v version %d: %v", api.Key, v, err)
				}
			}
		}
	}
}
