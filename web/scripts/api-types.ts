/**
 * Writes `src/shared/api/schema.ts` from `docs/openapi.json`: every schema as a type, and every
 * operation with what it takes and gives. A change of the API is then a type error in the pages.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: (string | number | boolean | null)[];
  const?: string | number | boolean;
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
}
interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}
interface Content {
  content?: Record<string, { schema: Schema }>;
}
interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: Content & { required?: boolean };
  responses: Record<string, Content>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const here = new URL("./", import.meta.url);
const source = new URL("../../docs/openapi.json", here);
const target = new URL("../src/shared/api/schema.ts", here);
const PLAIN: Record<string, string> = {
  string: "string",
  integer: "number",
  number: "number",
  boolean: "boolean",
  null: "null",
};

function typeOf(schema: Schema, strict = true): string {
  if (schema.$ref) return schema.$ref.split("/").at(-1)!;
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map((one) => typeOf(one)).join(" | ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `readonly (${typeOf(schema.items ?? {})})[]`;
  if (schema.properties) return fieldsOf(schema, strict);
  if (schema.type === "object") {
    const each = schema.additionalProperties;
    return `Readonly<Record<string, ${typeof each === "object" ? typeOf(each) : "unknown"}>>`;
  }
  return PLAIN[schema.type ?? ""] ?? "unknown";
}

function fieldsOf(schema: Schema, strict: boolean): string {
  const required = new Set(strict ? schema.required : []);
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) => `  readonly ${name}${required.has(name) ? "" : "?"}: ${typeOf(field)};`,
  );
  return `{\n${fields.join("\n")}\n}`;
}

function bodyOf(content: Content | undefined): string {
  const json = content?.content?.["application/json"];
  return json ? typeOf(json.schema) : "undefined";
}

function codesOf(responses: Record<string, Content>): string {
  const codes = Object.values(responses).flatMap((answer) => {
    const problem = answer.content?.["application/problem+json"];
    return problem?.schema.properties?.["code"]?.enum ?? [];
  });
  return [...new Set(codes)].map((code) => JSON.stringify(code)).join(" | ") || "never";
}

function okOf(responses: Record<string, Content>): string {
  const shapes = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([, answer]) => bodyOf(answer));
  return [...new Set(shapes)].join(" | ") || "undefined";
}

function operation(method: string, path: string, one: Operation): string {
  const named = (place: string) =>
    (one.parameters ?? [])
      .filter((parameter) => parameter.in === place)
      .map((parameter) => {
        const optional = parameter.required || place === "path" ? "" : "?";
        return `readonly ${parameter.name}${optional}: ${typeOf(parameter.schema)}`;
      });
  const shape = (fields: string[]) => (fields.length ? `{ ${fields.join("; ")} }` : "undefined");
  const body = one.requestBody
    ? bodyOf(one.requestBody) + (one.requestBody.required === false ? " | undefined" : "")
    : "undefined";
  return [
    `  "${method.toUpperCase()} ${path}": {`,
    `    path: ${shape(named("path"))};`,
    `    query: ${shape(named("query"))};`,
    `    body: ${body};`,
    `    ok: ${okOf(one.responses)};`,
    `    code: ${codesOf(one.responses)};`,
    "  };",
  ].join("\n");
}

const document = JSON.parse(readFileSync(source, "utf-8")) as Document;
const schemas = Object.entries(document.components.schemas).map(([name, schema]) =>
  schema.properties
    ? `export interface ${name} ${typeOf(schema)}`
    : `export type ${name} = ${typeOf(schema)};`,
);
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, one]) => operation(method, path, one)),
);
const written = [
  "// Made by scripts/api-types.ts from docs/openapi.json; not kept, not edited.",
  ...schemas,
  `export interface Operations {\n${operations.join("\n")}\n}`,
  'export type ProblemCode = Problem["code"];',
  "",
].join("\n\n");
writeFileSync(target, written);
