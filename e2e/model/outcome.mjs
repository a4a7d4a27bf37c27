/** Fails when the server answered something else than the model says. */
export function expectOutcome(what, status, wanted) {
  const list = [wanted].flat();
  if (!list.includes(status)) throw new Error(`${what}: the server answered ${status}, the model says ${list.join(' or ')}`);
}

/** What somebody without the right to do it gets from the registry. */
export const REFUSED = [401, 403];

/** What somebody without the right to do it gets from the REST API. */
export function refusal(actor) {
  return actor.name === 'anonymous' ? 401 : 403;
}
