/** Jest's global tear-down: ends what start.mjs started and removes its files. */
export default async function stopTestServices() {
  await globalThis.havenTestServices?.stop();
}
