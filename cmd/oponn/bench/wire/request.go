package wire

import (
	"net/http"
	"strconv"
)

// appendRequest appends a request as it is sent by HTTP/1.1.
func appendRequest(dst []byte, host string, r *Request) []byte {
	dst = append(append(append(append(dst, r.Method...), ' '), r.Path...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, host...), "\r\n"...)
	for i := range r.Fields {
		f := &r.Fields[i]
		dst = append(append(append(append(dst, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	if len(r.Body) > 0 || r.Method == http.MethodPost {
		dst = append(strconv.AppendInt(append(dst, "Content-Length: "...), int64(len(r.Body)), 10), "\r\n"...)
	}
	return append(append(dst, "\r\n"...), r.Body...)
}
