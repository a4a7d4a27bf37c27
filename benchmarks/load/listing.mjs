import { request, succeeded } from './http.mjs';
import { percentile } from '../report/statistics.mjs';

/** Reads one address `times` times, one after the other, for at most `seconds`: the 50th and 95th percentile in milliseconds. */
export async function timeListing(url, headers, { times, seconds, check }) {
  const samples = [];
  const deadline = performance.now() + seconds * 1000;
  for (let count = 0; count < times && performance.now() < deadline; count++) {
    const started = performance.now();
    const answer = await request(url, { headers });
    samples.push(performance.now() - started);
    check(JSON.parse(succeeded(answer, 200, `GET ${new URL(url).pathname}`).body.toString()));
  }
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) };
}
