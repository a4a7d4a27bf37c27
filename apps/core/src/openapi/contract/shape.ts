import { isObject, type Json, type JsonObject } from '../json.js';

/**
 * What the contract says of a value: `string`, `date-time`, `integer`, `number`, `boolean`, `object`, `file`, `any`, a
 * model's name, `[…]` for a list, `{…}` for a map with any keys, or an object of fields.
 */
export type Shape = string | { readonly [field: string]: Shape };

/** Holds the schemas of a document against shapes. */
export class ShapeComparison {
  readonly #models: Readonly<Record<string, Shape>>;
  readonly #document: JsonObject;

  constructor(models: Readonly<Record<string, Shape>>, document: JsonObject) {
    this.#models = models;
    this.#document = document;
  }

  /** What the schema lacks of the shape, one sentence each, beginning with the path of the field. */
  missing(shape: Shape, schema: Json | undefined, path: string, inside: readonly string[] = []): string[] {
    const alternatives = this.#alternatives(schema);
    if (alternatives.length === 0) return [`${path}: no schema`];
    const findings = alternatives.map((one) => this.#missingIn(shape, one, path, inside));
    return findings.reduce((fewest, finding) => (finding.length < fewest.length ? finding : fewest));
  }

  /** The schema behind references, without null; several where it may be one or the other. */
  #alternatives(schema: Json | undefined): JsonObject[] {
    if (!isObject(schema)) return [];
    const reference = schema['$ref'];
    if (typeof reference === 'string') return this.#alternatives(reference.slice(2).split('/').reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), this.#document));
    const parts = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(parts)) return parts.flatMap((part: Json) => this.#alternatives(part));
    return schema['type'] === 'null' ? [] : [schema];
  }

  #missingIn(shape: Shape, schema: JsonObject, path: string, inside: readonly string[]): string[] {
    if (typeof shape !== 'string') return this.#missingFields(shape, schema, path, inside);
    if (shape.startsWith('[')) return typeOf(schema) === 'array' ? this.missing(shape.slice(1, -1), schema['items'], `${path}[]`, inside) : [wrong(path, 'a list', schema)];
    if (shape.startsWith('{')) return this.#missingInMap(shape.slice(1, -1), schema, path, inside);
    const model = this.#models[shape];
    if (model === undefined) return fits(shape, schema) ? [] : [wrong(path, shape, schema)];
    return inside.includes(shape) ? [] : this.missing(model, schema, path, [...inside, shape]);
  }

  #missingFields(fields: { readonly [field: string]: Shape }, schema: JsonObject, path: string, inside: readonly string[]): string[] {
    if (typeOf(schema) !== 'object') return [wrong(path, 'an object', schema)];
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    return Object.entries(fields).flatMap(([field, shape]) => {
      const property = properties[field];
      return property === undefined ? [`${path}.${field}: missing`] : this.missing(shape, property, `${path}.${field}`, inside);
    });
  }

  #missingInMap(shape: Shape, schema: JsonObject, path: string, inside: readonly string[]): string[] {
    if (typeOf(schema) !== 'object') return [wrong(path, 'a map', schema)];
    const { additionalProperties: others, properties } = schema;
    if (isObject(properties)) return Object.entries(properties).flatMap(([key, property]) => this.missing(shape, property, `${path}.${key}`, inside));
    if (others === true || shape === 'any') return [];
    return this.missing(shape, others, `${path}.*`, inside);
  }
}

function fits(shape: string, schema: JsonObject): boolean {
  const type = typeOf(schema);
  switch (shape) {
    case 'any': return true;
    case 'date-time': return type === 'string' && schema['format'] === 'date-time';
    case 'number': return type === 'number' || type === 'integer';
    case 'object': return type === 'object' || type === undefined;
    case 'file': return true;
    default: return type === shape;
  }
}

function typeOf(schema: JsonObject): Json | undefined {
  const type = schema['type'];
  if (Array.isArray(type)) return (type as readonly Json[]).find((one) => one !== 'null');
  if (type !== undefined) return type;
  const example = Array.isArray(schema['enum']) ? (schema['enum'] as readonly Json[])[0] : schema['const'];
  return example === undefined ? undefined : typeof example;
}

function wrong(path: string, expected: string, schema: JsonObject): string {
  return `${path}: is ${JSON.stringify(typeOf(schema) ?? schema)}${schema['format'] === undefined ? '' : ` (${String(schema['format'])})`}, should be ${expected}`;
}
