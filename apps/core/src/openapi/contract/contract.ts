import { isObject, type Json, type JsonObject } from '../json.js';
import { ShapeComparison, type Shape } from './shape.js';

/** One operation that clients of the Harbor API rely on. */
export interface Promised {
  readonly id: string;
  /** "<place> <name> <type>", with " required" at the end where it is. */
  readonly parameters: readonly string[];
  /** What is read of it; clients may send more. */
  readonly body?: Shape;
  /** By status; one of them is enough where there are several. */
  readonly answers: Readonly<Record<string, { readonly body?: Shape; readonly headers?: readonly string[] }>>;
  readonly refuses: readonly number[];
}

/** Operations by "<METHOD> <path below /api/v2.0>". */
export type Contract = Readonly<Record<string, Promised>>;

/** What the document lacks of the contract, one readable line each. */
export function missingFrom(document: JsonObject, contract: Contract, models: Readonly<Record<string, Shape>>): string[] {
  const shapes = new ShapeComparison(models, document);
  return Object.entries(contract).flatMap(([name, promised]) => {
    const [method = '', path = ''] = name.split(' ');
    const operation = operationAt(document, method, path);
    if (operation === undefined) return [`${name}: no such operation`];
    return [
      ...(operation['operationId'] === promised.id ? [] : [`operationId is ${String(operation['operationId'])}, should be ${promised.id}`]),
      ...missingParameters(operation, promised, document),
      ...missingBody(operation, promised, shapes),
      ...missingAnswers(operation, promised, shapes),
    ].map((finding) => `${name}: ${finding}`);
  });
}

/** Harbor has a few paths with a slash at the end; ours are without, and answer with one, too. */
function operationAt(document: JsonObject, method: string, path: string): JsonObject | undefined {
  const methods = (document['paths'] as JsonObject)[`/api/v2.0${path.replace(/\/$/, '')}`] ?? (document['paths'] as JsonObject)[`/api/v2.0${path}`];
  const operation = isObject(methods) ? methods[method.toLowerCase()] : undefined;
  return isObject(operation) ? operation : undefined;
}

function missingParameters(operation: JsonObject, { parameters }: Promised, document: JsonObject): string[] {
  const described = (operation['parameters'] as readonly JsonObject[]).map((one) => (one['$ref'] === undefined ? one : referenced(document, one['$ref'] as string)));
  return parameters.flatMap((promised) => {
    const [place, name, type = '', required] = promised.split(' ');
    const found = described.find((one) => one['in'] === place && one['name'] === name);
    if (found === undefined) return [`parameter ${name} in ${place}: missing`];
    if (required === undefined && found['required'] === true) return [`parameter ${name} in ${place}: must not be required`];
    return new ShapeComparison({}, document).missing(type, found['schema'], `parameter ${name} in ${place}`);
  });
}

function missingBody(operation: JsonObject, { body }: Promised, shapes: ShapeComparison): string[] {
  if (body === undefined) return [];
  const described = operation['requestBody'];
  if (!isObject(described)) return ['body: missing'];
  return shapes.missing(body, schemaIn(described), 'body');
}

function missingAnswers(operation: JsonObject, { answers, refuses }: Promised, shapes: ShapeComparison): string[] {
  const described = operation['responses'] as Readonly<Record<string, JsonObject>>;
  const refusals = refuses.filter((status) => described[String(status)] === undefined).map((status) => `status ${status}: missing`);
  const success = Object.keys(described).filter((status) => Number(status) < 400);
  const strange = success.filter((status) => answers[status] === undefined).map((status) => `status ${status}: should be ${Object.keys(answers).join(' or ')}`);
  const parts = Object.entries(answers).filter(([status]) => success.includes(status)).flatMap(([status, { body, headers = [] }]) => {
    const response = described[status] ?? {};
    const names = Object.keys(isObject(response['headers']) ? response['headers'] : {});
    return [
      ...headers.filter((header) => !names.includes(header)).map((header) => `header ${header} of ${status}: missing`),
      ...(body === undefined || body === 'file' ? [] : shapes.missing(body, schemaIn(response), `answer ${status}`)),
    ];
  });
  return [...refusals, ...strange, ...parts];
}

function schemaIn(described: JsonObject): Json | undefined {
  const content = isObject(described['content']) ? Object.values(described['content']) : [];
  const schemas = content.flatMap((one) => (isObject(one) && one['schema'] !== undefined ? [one['schema']] : []));
  return schemas.length > 1 ? { anyOf: schemas } : schemas[0];
}

function referenced(document: JsonObject, reference: string): JsonObject {
  return reference.slice(2).split('/').reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), document) as JsonObject;
}
