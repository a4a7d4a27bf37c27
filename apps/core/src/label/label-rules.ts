import { Problem, type LabelReq } from '@haven/api';

const LONGEST_NAME = 128;
const COLOR = /^(?:#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,32})?$/;

/** Where a label belongs: to the installation, or to one project. */
export type LabelScope = { readonly scope: 'g' } | { readonly scope: 'p'; readonly projectId: number };

/** What a label says. */
export interface LabelText {
  readonly name: string;
  readonly description: string;
  readonly color: string;
}

/** @throws Problem BAD_REQUEST */
export function labelScope(scope: string | undefined, projectId: number | undefined): LabelScope {
  if (scope === 'g') return { scope };
  if (scope !== 'p') throw new Problem('BAD_REQUEST', 'scope must be g for labels of the whole installation or p for those of a project');
  if (projectId === undefined || projectId === 0) throw new Problem('BAD_REQUEST', 'project_id must name the project when scope is p');
  return { scope, projectId };
}

/**
 * What the label will say: what a request leaves out stays as it was.
 *
 * @throws Problem BAD_REQUEST
 */
export function labelText(request: LabelReq, current: LabelText = { name: '', description: '', color: '' }): LabelText {
  const { name = current.name, description = current.description, color = current.color } = request;
  if (name === '' || name.length > LONGEST_NAME) throw new Problem('BAD_REQUEST', `name must have 1 to ${LONGEST_NAME} characters`);
  if (!COLOR.test(color)) throw new Problem('BAD_REQUEST', 'color must be a colour like #61717D, or empty');
  return { name, description, color };
}
