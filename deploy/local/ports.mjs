import { createServer } from 'node:net';

/**
 * A TCP port that was free a moment ago. Another process may take it before the caller does, so whoever starts a
 * server on it must be ready to ask again (see `isPortTaken`).
 */
export function freePort(host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Throws a plain sentence when nobody could listen on `host:port`, naming the setting that chooses it. */
export function assertPortIsFree(host, port, setting) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(new Error(portFault(error, host, port, setting), { cause: error })));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function portFault(error, host, port, setting) {
  if (error.code === 'EADDRINUSE') {
    return `Port ${port} is already in use on ${host}. Stop the program that holds it, or choose another: ${setting}=<port>.`;
  }
  if (error.code === 'EACCES') {
    return `This user may not listen on port ${port}. Choose a port above 1023: ${setting}=<port>.`;
  }
  return `Cannot listen on ${host}:${port} (${error.code ?? error.message}). Check ${setting} and HAVEN_LISTEN_HOST.`;
}

/** True when a server's output says that its port was taken by someone else. */
export function isPortTaken(output) {
  return /EADDRINUSE|address already in use|could not bind|already in use/i.test(output);
}
