import 'reflect-metadata';
import type { ProblemCode } from '@haven/api';

const OPERATION = 'haven:operation';

/** What the audit trail calls an operation that changes something: "create" of a "label". */
export interface AuditedAs {
  readonly operation: string;
  readonly resourceType: string;
}

/** What a route is to those who read the API document. */
export interface OperationFacts {
  /** Harbor's operationId where it has this operation, e.g. "ListLabels". */
  readonly id: string;
  /** The group it is listed under, as Harbor names it, e.g. "label". */
  readonly tag: string;
  /** One line: what it does. */
  readonly summary: string;
  /** Refusals beyond those that follow from its requirement and its parameters (400, 401, 403, 422, 500). */
  readonly refuses?: readonly ProblemCode[];
  /** Haven's own: marked `x-haven-extension`. */
  readonly extension?: true;
  /** For everything but GET and HEAD: how the audit trail names it, also when it fails; 'nothing' where nothing changes. */
  readonly audits?: AuditedAs | 'nothing';
}

/** Describes a route for the API document and the audit trail. */
export function Operation(facts: OperationFacts): MethodDecorator {
  return (_prototype, _name, descriptor) => { Reflect.defineMetadata(OPERATION, facts, descriptor.value as object); };
}

/** What a handler's route is; undefined when it does not say. */
export function operationOf(handler: object): OperationFacts | undefined {
  return Reflect.getMetadata(OPERATION, handler) as OperationFacts | undefined;
}
