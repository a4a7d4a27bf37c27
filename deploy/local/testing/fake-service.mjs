import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Stands in for every service in the launcher's own tests: is ready, answers with its settings, stops on SIGTERM.
 * HAVEN_FAKE ("<service>:<fault>") makes one of them misbehave.
 */
const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('HAVEN_')));
const role = roleOf(settings);
const [faulty, fault] = (settings.HAVEN_FAKE ?? ':').split(':');
const has = (name) => faulty === role && fault === name;

function roleOf({ HAVEN_ADMIN_PASSWORD_OUT, HAVEN_REGISTRY_URLS, HAVEN_LOG_DIR, HAVEN_LISTEN }) {
  if (HAVEN_ADMIN_PASSWORD_OUT) return 'core';
  if (HAVEN_REGISTRY_URLS) return 'proxy';
  if (HAVEN_LOG_DIR) return 'log-collector';
  return HAVEN_LISTEN ? 'registry' : 'job-service';
}

if (has('crash')) {
  console.error(`${role} cannot go on: the fake is told to fail`);
  process.exit(3);
}

const [host, port] = settings.HAVEN_PRIVATE_LISTEN.split(':');
createServer((_request, response) => response.writeHead(has('unready') ? 503 : 200).end('{"fake":"status"}')).listen(Number(port), host);

const address = settings.HAVEN_LISTEN?.split(':') ?? (settings.HAVEN_HTTP_PORT && ['127.0.0.1', settings.HAVEN_HTTP_PORT]);
if (address) createServer((_request, response) => response.end(JSON.stringify({ role, settings }))).listen(Number(address[1]), address[0]);
if (role === 'core') writeFileSync(settings.HAVEN_ADMIN_PASSWORD_OUT, 'the-first-password\n', { mode: 0o600, flag: 'a' });

process.on('SIGTERM', () => {
  console.log(`${role} stops`);
  if (!has('deaf')) process.exit(0);
});
