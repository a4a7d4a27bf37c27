import { join } from 'node:path';
import { startPlatform } from '../platform.mjs';

// A launcher of its own, for tests that kill it: runs the platform with fake services in the folder named by its argument.
const platform = await startPlatform({ dataDir: process.argv[2], httpPort: 0, entry: () => join(import.meta.dirname, 'fake-service.mjs') });
console.log(JSON.stringify({ url: platform.url, services: Object.values(platform.services).map(({ pid }) => pid) }));
