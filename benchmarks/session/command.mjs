const OUTPUT_LIMIT = 4 * 1024 * 1024;

/** Runs a program to its end and gives back its standard output; rejects with its last words when it fails or takes too long. */
export function runCommand(session, command, args, { seconds, input, env }) {
  return new Promise((resolve, reject) => {
    const child = session.spawn(command, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], env: env ?? process.env });
    const output = collect(child.stdout);
    const errors = collect(child.stderr);
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${command} could not be started: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output());
      else reject(new Error(`${command} ended with ${code ?? signal}: ${lastLines(errors() || output())}`));
    });
    if (input !== undefined) child.stdin.end(input);
  });
}

function collect(stream) {
  const chunks = [];
  let size = 0;
  stream.on('data', (chunk) => {
    size += chunk.length;
    if (size <= OUTPUT_LIMIT) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** The end of a program's output: enough to see why it failed. */
export function lastLines(text, count = 6) {
  return text.trim().split('\n').slice(-count).join('\n');
}
