package yardstick

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// nchanConfig is Debian's nginx with its module nchan as an event source: one
// channel, of which the latest message is kept.
const nchanConfig = `
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
worker_processes %d;
worker_rlimit_nofile 20000;
pid %s/nginx.pid;
error_log %s/error.log;
events { worker_connections 19000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 600;
  client_body_temp_path %s/body;
  proxy_temp_path %s/proxy;
  fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi;
  scgi_temp_path %s/scgi;
  nchan_shared_memory_size 128M;
  nchan_message_buffer_length 1;
  server {
    listen %s reuseport;
    location = /publish { nchan_publisher; nchan_channel_id one; }
    location = /watch { nchan_subscriber eventsource; nchan_channel_id one; nchan_subscriber_first_message newest; }
    location = /ready { return 200; }
  }
}
`

// startNchan starts nginx and returns its address.
func startNchan(b testing.TB, workers int) (*process, string) {
	b.Helper()
	dir, addr := b.TempDir(), freePort(b)
	// Workers drop root, and TempDir belongs to whoever runs the test.
	if err := os.Chmod(dir, 0o777); err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(dir, "nginx.conf")
	config := fmt.Sprintf(nchanConfig, workers, dir, dir, dir, dir, dir, dir, dir, addr)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		b.Fatal(err)
	}
	p := launch(b, nil, "nginx", "-p", dir, "-c", file)
	await(b, "http://"+addr+"/ready")
	return p, addr
}
