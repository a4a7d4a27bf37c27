import { request, succeeded } from './http.mjs';
import { percentile } from '../report/statistics.mjs';

/**
 * Reads one address over and over from `connections` clients for `seconds`, `least` times at least: percentiles of the
 * answers' times in milliseconds, how many came in all and each second.
 */
export async function timeRequests(url, headers, { connections, seconds, least = 10 }) {
  const samples = [];
  const started = performance.now();
  const deadline = started + seconds * 1000;
  const client = async () => {
    while (performance.now() < deadline || samples.length < least) {
      const sent = performance.now();
      succeeded(await request(url, { headers }), 200, `GET ${url}`);
      samples.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const rate = samples.length / ((performance.now() - started) / 1000);
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95), p99: percentile(samples, 0.99), rate, count: samples.length };
}
