/** A test that fails on FerretDB 1.24, and why that is FerretDB's to mend; by the beginning of its title. */
export interface Accepted {
  title: string
  reason: string
  /** Whether it fails only where two requests meet. */
  byChance?: true
}

/** By which the pages of a list that is sorted by a field go on. */
const noTypes = 'knows no $type of symbols, code, MinKey and MaxKey'

const unstorable = 'takes no document of some types that the test stores'

const notAtomic = 'findAndModify reads and writes in two steps there: of two changes at once one can be lost'

export const accepted: Accepted[] = [
  { title: 'a number of any BSON type is shown as a number', reason: 'closes the connection at a Decimal128' },
  { title: 'a stored field that does not fit the model is left out', reason: 'closes the connection at NaN and at some BSON types' },
  { title: 'a stored hash that is not argon2id is a failed login', reason: 'takes no document of a type that the test stores' },
  { title: 'of many creates at once a unique index refuses only', reason: 'does not tell the fields of the index that refused a document (keyPattern)' },
  { title: 'of many creates at once a validator refuses only', reason: 'has no validators' },
  { title: 'updates of different fields at once all survive', reason: notAtomic, byChance: true },
  { title: 'limits are shared by all processes', reason: notAtomic, byChance: true },
  { title: 'what is owed outlives a second failure', reason: notAtomic, byChance: true },
  { title: 'of an ObjectId and the same id as text the ObjectId wins', reason: 'takes an ObjectId and the same hexadecimal text for one _id' },
  { title: 'a merge patch removes an optional field, also in a retry', reason: noTypes },
  { title: '150 walks see each document once', reason: unstorable },
  { title: '300 filters answer what a plain evaluation', reason: unstorable },
  { title: 'records are sorted by several keys', reason: noTypes },
  { title: 'the list has the grammar of the students', reason: noTypes },
  { title: 'pages lead on and back, in any order, while users come and go', reason: noTypes },
  { title: 'lists of students with uuids are filtered, sorted and read page by page', reason: noTypes },
  { title: 'lists of students with names are filtered, sorted and read page by page', reason: noTypes },
  { title: 'callers without the scope see a list without grades, and find nothing by them', reason: noTypes },
  { title: 'a cursor may go on with another limit or other fields', reason: noTypes },
  { title: 'a cursor whose values are not those of the sort', reason: noTypes },
  { title: 'a value that is too long for a cursor', reason: noTypes },
  { title: 'the filters, the order and the fields are those of lists', reason: noTypes },
  { title: 'a QUERY answers what the GET at its Location answers', reason: noTypes },
  { title: '300 filters are answered alike by QUERY', reason: unstorable },
  { title: '300 filters with an or answer', reason: unstorable },
  { title: '150 walks by the cursor of a QUERY', reason: unstorable },
  { title: 'a student that other software wrote, with other types', reason: 'closes the connection at a Decimal128' },
  { title: 'of 32 clients who count by compare and swap none', reason: notAtomic, byChance: true },
  { title: 'clients that change one record by compare and swap in batches', reason: notAtomic, byChance: true },
  { title: '300 histories of a record that many clients change at once', reason: notAtomic },
  { title: 'what expires has an index for it', reason: 'has no TTL indexes; the API removes what has expired itself' }
]
