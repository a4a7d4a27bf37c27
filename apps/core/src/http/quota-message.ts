const UNITS = ['Byte', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Why a project's quota refuses to take more, in the Harbor API's words, which clients show as they are. */
export function quotaMessage({ used, added, hard }: { readonly used: number; readonly added: number; readonly hard: number }): string {
  return `Quota exceeded when processing the request of adding ${bytes(added)} of storage resource, which when updated to current usage of ${bytes(used)} will exceed the configured upper limit of ${bytes(hard)}.`;
}

function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}
