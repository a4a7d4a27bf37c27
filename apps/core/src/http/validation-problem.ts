import { Problem } from '@haven/api';

const MAX_SHOWN_ISSUES = 5;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema found wrong, as the answer to the client: the first few faults, each with the field it is about. */
export function validationProblem(issues: readonly Issue[]): Problem {
  const shown = issues.slice(0, MAX_SHOWN_ISSUES).map((issue) => `${pathOf(issue)}${issue.message}`);
  return new Problem('UNPROCESSABLE_ENTITY', `the request does not have the expected form: ${shown.join('; ')}`);
}

function pathOf({ path = [] }: Issue): string {
  if (path.length === 0) return '';
  return `${path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.').slice(0, 100)}: `;
}
