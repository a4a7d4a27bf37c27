import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf, familyOf } from '../load/cpu.mjs';
import { programPath } from '../session/packages.mjs';
import { freePort, waitForPort } from '../session/ports.mjs';

/**
 * nginx in front of a running Distribution, as Distribution's own documentation and Debian's nginx.conf have it.
 * Buffering is nginx' default, on both ways: uploads are written to a file before they are passed on, downloads
 * go through memory and temporary files, and the upstream connection is HTTP/1.0 without keep-alive.
 */
export async function startNginx(session, upstream) {
  const port = await freePort();
  const dir = session.folder('nginx');
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) session.folder(`nginx/${name}`);
  const file = join(dir, 'nginx.conf');
  writeFileSync(file, configuration(dir, port, new URL(upstream.url).host));
  const child = session.spawn(programPath('nginx'), ['-p', dir, '-c', file, '-e', join(dir, 'error.log'), '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'ignore'] });
  try {
    await waitForPort(port, child, 20);
  } catch (error) {
    throw new Error(`${error.message}; see: ${readFileSync(join(dir, 'error.log'), 'utf8').slice(-2000)}`);
  }
  const processes = { nginx: familyOf(child.pid) };
  return {
    name: 'nginx',
    title: 'behind nginx',
    url: `http://127.0.0.1:${port}`,
    dataDir: upstream.dataDir,
    processes,
    cpu: () => ({ ...cpuOf(processes), ...upstream.cpu() }),
    authorization: async () => ({}),
  };
}

function configuration(dir, port, upstream) {
  // A master that runs as root would give its workers up to "nobody", who may not enter the temporary folder.
  const user = process.getuid() === 0 ? 'user root;' : '';
  return `${user}
worker_processes auto;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events {
  worker_connections 768;
}
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  default_type application/octet-stream;
  access_log ${dir}/access.log;
  gzip on;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    chunked_transfer_encoding on;
    location /v2/ {
      proxy_pass http://${upstream};
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 900;
    }
  }
}
`;
}
