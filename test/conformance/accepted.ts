import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import type { Outcome } from './report.js'

/** A difference where MongoDB's documentation is with the embedded store. What SecantusDB, 0.7.0b3, does is told in the title. */
export interface Accepted {
  title: string
  reason: string
  source: string
  fits (outcome: Outcome): boolean
}

const manual = 'https://www.mongodb.com/docs/manual/'

export const accepted: Accepted[] = [
  {
    title: 'takes unknown fields in some commands',
    reason: 'A command takes the fields of its syntax; MongoDB refuses any other with 40415, and a driver on the Stable API counts on that.',
    source: `${manual}reference/stable-api/#parameters`,
    fits: ({ kind, ours, theirs }) => ['an unknown field', 'a batch that is none'].includes(kind) && refused(ours, 40415) && !isError(theirs)
  },
  {
    title: 'takes a missing or wrong list of documents or deletes, and a delete without filter or limit, for an empty one',
    reason: 'insert requires documents, delete requires deletes, and each of them q and limit.',
    source: `${manual}reference/command/delete/#syntax, ${manual}reference/command/insert/#syntax`,
    fits: ({ kind, ours, theirs }) => ['a missing field', 'a field of the wrong type', 'a batch that is none'].includes(kind) &&
      (refused(ours, 40414) || refused(ours, 14)) && (!isError(theirs) || refused(theirs, 16))
  },
  {
    title: 'looks at filters and updates only once there is a document to try them on',
    reason: 'An unknown operator, a conflict or a wrong operand is an error of the command, whatever is stored.',
    source: `${manual}reference/operator/query/, ${manual}reference/operator/update/`,
    fits: ({ kind, ours, theirs }) => ['a filter with an unknown operator', 'an update that is none', 'findAndModify', "the driver's findOneAndUpdate"].includes(kind) &&
      ([2, 9, 14, 40].some(code => refused(ours, code)) || /"writeErrors":\[\{"index":\{"\$numberInt":"0"\},"code":\{"\$numberInt":"(2|9)"\}/.test(ours)) && !isError(theirs)
  },
  {
    title: 'sets fields whose names begin with a dollar',
    reason: 'Update operators do not take such names; a pipeline with $setField does.',
    source: `${manual}core/dot-dollar-considerations/dollar-prefix/`,
    fits: ({ kind, ours, theirs }) => kind === 'an update that is none' && refused(ours, 52) && !isError(theirs)
  },
  {
    title: 'takes arrays and regular expressions for an _id, and loses what stands before a refused one in its batch',
    reason: 'An _id may be of any type but array, regex and undefined. An ordered insert that fails leaves the documents before it inserted.',
    source: `${manual}core/document/#the-_id-field, ${manual}reference/command/insert/#command-fields`,
    fits: ({ kind, ours }) => kind === 'insert what can be no _id' && ours.includes('"writeErrors"')
  },
  {
    title: 'takes two binaries that differ in their subtype for equal',
    reason: 'Binaries compare by length, then subtype, then bytes.',
    source: `${manual}reference/bson-type-comparison-order/#bindata`,
    fits: outcome => confuses(outcome, '{"_id":"YQ=="}')
  },
  {
    title: 'takes the double 0.1 and the decimal 0.1 for equal',
    reason: 'Numbers compare by value across their types, and the double nearest to 0.1 is not 0.1.',
    source: 'https://www.mongodb.com/docs/v5.0/core/shell-types/#equality-and-sort-order',
    fits: outcome => confuses(outcome, '{"_id":0.1}', '{"_id":{"$numberDecimal":"0.1"}}')
  },
  {
    title: 'takes { a: 1 } and { a: 1.0 } for two _ids',
    reason: 'Documents compare field by field, the values in them as anywhere else: numbers across their types.',
    source: `${manual}reference/bson-type-comparison-order/#objects`,
    fits: outcome => confuses(outcome, '{"_id":{"a":1}}')
  },
  {
    title: 'reports another expiry under the name of an index as another key',
    reason: 'An index of the same name and key that differs in its options is IndexOptionsConflict (85); 86 is for one name and two keys. expireAfterSeconds changes by collMod only.',
    source: `${manual}core/index-ttl/, ${manual}reference/error-codes/`,
    fits: ({ kind, ours, theirs }) => kind === 'createIndexes' &&
      ((refused(ours, 85) && (refused(theirs, 86) || !isError(theirs))) || (refused(ours, 86) && refused(theirs, 85)))
  },
  {
    title: 'counts one index only when a collection is dropped',
    reason: 'nIndexesWas is the number of indexes that the collection had.',
    source: `${manual}reference/command/drop/`,
    fits: ({ kind, ours, theirs }) => kind === 'drop' && theirs === ours.replace(/"nIndexesWas":\{"\$numberInt":"\d+"\}/, '"nIndexesWas":{"$numberInt":"1"}')
  },
  {
    title: 'makes indexes that can be none',
    reason: 'expireAfterSeconds lies within 0 and 2147483647, on one field, not on _id; a key has fields, whose names are neither empty nor begin with a dollar; an index has a name; a command has indexes.',
    source: `${manual}core/index-ttl/, ${manual}reference/command/createIndexes/`,
    fits: ({ kind, ours, theirs }) => kind === 'an index that is none' && [2, 9, 67, 197].some(code => refused(ours, code)) && (!isError(theirs) || refused(theirs, 14))
  },
  {
    title: 'takes names of collections that can be none',
    reason: 'A name is not empty, holds no null character, and makes a namespace of at most 255 bytes.',
    source: `${manual}reference/limits/#naming-restrictions`,
    fits: ({ kind, ours, theirs }) => kind === 'a name that is none' && refused(ours, 73) && !isError(theirs)
  },
  {
    title: 'takes apiStrict without apiVersion',
    reason: 'Both other fields say how to treat the version that a client declares.',
    source: `${manual}reference/stable-api/#parameters`,
    fits: ({ kind, ours, theirs }) => kind === 'a wrong declaration of the API' && refused(ours, 4886600) && !isError(theirs)
  },
  {
    title: "forgets that there is a cursor when getMore names another collection than the cursor's",
    reason: 'collection is that over which the cursor operates; MongoDB says that this one is not (13), and leaves the cursor open.',
    source: `${manual}reference/command/getMore/`,
    fits: ({ kind, ours, theirs }) => kind === 'getMore and killCursors' && refused(ours, 13) && refused(theirs, 43)
  },
  {
    title: 'calls some codes Location<code> that have a name',
    reason: 'The same code; its name is InvalidLength (16) or IDLUnknownField (40415), as SecantusDB itself has it elsewhere.',
    source: `${manual}reference/error-codes/`,
    fits: ({ ours, theirs }) => isError(ours) && isError(theirs) && codeOf(ours) === codeOf(theirs) && theirs.includes(`"Location${codeOf(ours)}"`)
  },
  {
    title: 'fails itself (InternalError, a Python exception)',
    reason: 'A command that names no collection, an operator without a document and an insert of what is no document are refused by a code of their own.',
    source: `${manual}reference/error-codes/`,
    fits: ({ ours, theirs }) => isError(ours) && refused(theirs, 1)
  },
  {
    title: 'appends new fields in the order in which they were sent',
    reason: 'Update operators process fields in lexicographic order of their names. Most updates are sent in that order, so that this hides nothing else.',
    source: `${manual}reference/operator/update/#behavior`,
    fits: ({ kind, ours, theirs }) => ['findAndModify', "the driver's findOneAndUpdate"].includes(kind) && !isError(ours) && !isError(theirs) &&
      onlyAppendsInOrder(ours, theirs)
  },
  {
    title: 'finds no array by a range whose bounds different elements meet, where there is an index',
    reason: 'Each condition is met by any element, and by different ones: { $gt: "a", $lte: "c" } finds ["", "é"].',
    source: `${manual}tutorial/query-arrays/#query-an-array-with-compound-filter-conditions-on-the-array-elements`,
    fits: ({ ours, theirs, sent }) => !isError(ours) && !isError(theirs) && theirs.length < ours.length && sent.some(hasRange)
  },
  {
    title: 'counts no documents with a document that says 0',
    reason: '$count is $group and $project, and a $group of no documents has no output.',
    source: `${manual}reference/operator/aggregation/count/#behavior`,
    fits: ({ kind, ours, theirs }) => kind === 'aggregate to count up to a limit' && ours.includes('"documents":[]') &&
      ours === theirs.replace(/"documents":\[\{"[^"]+":\{"\$numberInt":"0"\}\}\]/, '"documents":[]')
  },
  {
    title: 'adds decimals, which the embedded store refuses',
    reason: 'Not served, and said so with CommandNotSupported (115): the API stores no decimals.',
    source: `${manual}reference/operator/update/inc/`,
    fits: ({ ours, sent }) => refused(ours, 115) && sent.some(({ update }) => update?.$inc !== undefined)
  }
]

/** Whether a field has to be above one value and below another. */
function hasRange (value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { $gt, $gte = $gt, $lt, $lte = $lt } = value as Document
  return ($gte !== undefined && $lte !== undefined) || Object.values(value).some(hasRange)
}

function isError (outcome: string): boolean {
  return outcome.startsWith('{"error":')
}

function codeOf (outcome: string): string | undefined {
  return /^\{"error":\{"code":\{"\$numberInt":"(\d+)"/.exec(outcome)?.[1]
}

function refused (outcome: string, code: number): boolean {
  return codeOf(outcome) === String(code)
}

/** Whether two replies of findAndModify are the same but for the order of the last fields, which ours has sorted by their names. */
function onlyAppendsInOrder (ours: string, theirs: string): boolean {
  const [{ value = null, ...rest }, { value: other = null, ...otherRest }]: [Document, Document] = [JSON.parse(ours), JSON.parse(theirs)]
  if (value === null || other === null || !isDeepStrictEqual([rest, value], [otherRest, other])) return false // which knows no order of fields
  const [names, others] = [Object.keys(value), Object.keys(other)]
  const appended = names.slice(names.findIndex((name, place) => name !== others[place]))
  return isDeepStrictEqual(appended, appended.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
}

/** Whether a case has two of these documents, as JSON shows them, among those whose `_id`s look alike. */
function confuses ({ kind, sent: [insert] }: Outcome, ...alike: string[]): boolean {
  const documents: Document[] = insert?.documents ?? []
  return kind === 'two _ids that look alike' && documents.filter(document => alike.includes(JSON.stringify(document))).length === 2
}
