import { z } from 'zod';
import { isObject, sorted, type Json, type JsonObject } from './json.js';

const DEFINITIONS = '#/$defs/';
const COMPONENTS = '#/components/schemas/';

/** The JSON Schemas of the document: those with an id become components, once, however often they are used. */
export class Schemas {
  readonly #components = new Map<string, JsonObject>();

  /** What may be sent. */
  ofRequest(schema: z.ZodType): JsonObject {
    return this.#convert(schema, 'input');
  }

  /** What is answered. */
  ofAnswer(schema: z.ZodType): JsonObject {
    return this.#convert(schema, 'output');
  }

  get components(): JsonObject {
    return sorted(this.#components);
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema: _version, $defs: definitions = {}, ...root } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as { readonly [key: string]: Json };
    for (const [id, definition] of Object.entries(definitions as Readonly<Record<string, JsonObject>>)) this.#add(id, cleaned(definition, io));
    return cleaned(root, io);
  }

  #add(id: string, definition: JsonObject): void {
    if (id.startsWith('__')) throw new Error(`a schema that refers to itself needs an id: ${JSON.stringify(definition).slice(0, 200)}`);
    const known = this.#components.get(id);
    if (known === undefined) this.#components.set(id, definition);
    else if (JSON.stringify(known) !== JSON.stringify(definition)) {
      throw new Error(`two schemas are called ${id}, or it is not the same when it is sent and when it is answered; give one of them another id:\n${JSON.stringify(known)}\n${JSON.stringify(definition)}`);
    }
  }
}

/** Without what says nothing to a reader, and what would forbid an answer to grow. */
function cleaned(schema: JsonObject, io: 'input' | 'output'): JsonObject {
  return Object.fromEntries(Object.entries(schema).flatMap(([key, value]): [string, Json][] => {
    if (isNoise(schema, key, value, io)) return [];
    if (key === 'additionalProperties' && isObject(value) && Object.keys(value).length === 0) return [[key, true]];
    if (key === '$ref' && typeof value === 'string') return [[key, value.replace(DEFINITIONS, COMPONENTS)]];
    if (key === 'default' || key === 'enum' || key === 'const' || key === 'examples') return [[key, value]];
    if (key === 'properties' && isObject(value)) return [[key, Object.fromEntries(Object.entries(value).map(([name, property]) => [name, isObject(property) ? cleaned(property, io) : property]))]];
    return [[key, cleanedValue(value, io)]];
  }));
}

function cleanedValue(value: Json, io: 'input' | 'output'): Json {
  if (Array.isArray(value)) return value.map((part: Json) => cleanedValue(part, io));
  return isObject(value) ? cleaned(value, io) : value;
}

function isNoise(schema: JsonObject, key: string, value: Json, io: 'input' | 'output'): boolean {
  switch (key) {
    case 'id': return typeof value === 'string' && schema['$ref'] === undefined;
    case 'minimum': return value === Number.MIN_SAFE_INTEGER;
    case 'maximum': return value === Number.MAX_SAFE_INTEGER;
    case 'pattern': return schema['format'] !== undefined;
    case 'propertyNames': return isObject(value) && Object.keys(value).length === 1 && value['type'] === 'string';
    case 'additionalProperties': return value === false && io === 'output';
    default: return false;
  }
}
