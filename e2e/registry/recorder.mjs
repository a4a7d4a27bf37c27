import { createServer, request } from 'node:http';

/**
 * A loopback server that hands everything on to the platform and writes down what a client asked: method, path, how many
 * bytes its body had, and the status it got. The Host header is kept, so the client sees one address only.
 * @param {string} target the platform's address
 */
export async function startRecorder(target) {
  const { hostname, port } = new URL(target);
  const requests = [];
  const server = createServer((incoming, outgoing) => {
    const entry = { method: incoming.method, path: incoming.url, bytes: 0, status: undefined };
    requests.push(entry);
    const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
      entry.status = answer.statusCode;
      outgoing.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.on('data', (chunk) => (entry.bytes += chunk.length));
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${server.address().port}`,
    requests,
    forget: () => requests.splice(0),
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
