import { resolve } from 'node:path';
import { UsageError, USAGE, parseOptions } from './options.mjs';
import { measureAll } from './measure.mjs';
import { printReport, writeJson } from './report/print.mjs';
import { Session } from './session/session.mjs';

async function main() {
  if (Number(process.versions.node.split('.')[0]) < 24) throw new UsageError(`Node 24 is needed, this is ${process.version}: start it with npm run bench`);
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const session = new Session(options.dir === undefined ? undefined : resolve(options.dir));
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
    process.on(signal, () => session.close().finally(() => process.exit(code)));
  }
  try {
    const results = await measureAll(session, options);
    printReport(results, options);
    if (options.json !== undefined) writeJson(resolve(options.json), results, options);
    return results.failures.length === 0 ? 0 : 1;
  } finally {
    await session.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : `The benchmark failed: ${error.stack}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
