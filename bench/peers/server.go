// A server of Go's net/http with as much work a request as encoding the reply: no database, no token.
//
// usage: server ADDRESS ONE LIST, the files of two JSON documents
package main

import (
	"encoding/json"
	"net/http"
	"os"
)

type Plan struct {
	ID        int    `json:"id"`
	Name      string `json:"name"`
	VCPUs     int    `json:"vcpus"`
	Memory    int    `json:"memory"`
	Storage   int    `json:"storage"`
	Bandwidth int    `json:"bandwidth,omitempty"`
}

type System struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

type Server struct {
	ID        int               `json:"id"`
	Name      string            `json:"name"`
	Hostname  string            `json:"hostname"`
	Status    string            `json:"status"`
	Address   *string           `json:"ip_address"`
	Location  string            `json:"location"`
	Plan      Plan              `json:"plan"`
	System    System            `json:"os"`
	Backups   bool              `json:"backups_enabled"`
	CreatedAt string            `json:"created_at"`
	UpdatedAt string            `json:"updated_at"`
	UUID      string            `json:"uuid"`
	SSHPort   *int              `json:"ssh_port"`
	Labels    map[string]string `json:"labels"`
}

type List struct {
	Count    int      `json:"count"`
	Next     *string  `json:"next"`
	Previous *string  `json:"previous"`
	Results  []Server `json:"results"`
}

func read(path string, value any) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, value)
	}
	if err != nil {
		panic(err)
	}
}

func answer(value any) http.HandlerFunc {
	return func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("Content-Type", "application/json")
		json.NewEncoder(writer).Encode(value)
	}
}

func main() {
	var one Server
	var list List
	read(os.Args[2], &one)
	read(os.Args[3], &list)
	http.HandleFunc("/one", answer(one))
	http.HandleFunc("/list", answer(list))
	panic(http.ListenAndServe(os.Args[1], nil))
}
