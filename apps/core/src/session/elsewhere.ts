import { Problem } from '@haven/api';

/** The person logs in, or out, elsewhere. The sign-in page cannot follow a redirect of its form, so it is told where to go. */
export class Elsewhere extends Problem {
  constructor(readonly location: string) {
    super('FORBIDDEN', 'go to the address in redirect_location with the browser');
  }
}
