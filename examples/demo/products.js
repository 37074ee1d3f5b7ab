// @ts-check

/** @typedef {{ id: string, name: string, line: string }} Category */
/**
 * @typedef {{ id: string, category: string, name: string, price: number, line: string, about: string, details: string[]
 * }} Product
 */

/** All prices are in this currency. */
export const CURRENCY = 'USD'

/** @type {Category[]} */
export const categories = [
  { id: 'camp', name: 'Camp', line: 'Shelter, light and a good seat for the evenings that run late.' },
  { id: 'trail', name: 'Trail', line: 'Things that carry well, grip well and ask for very little.' },
  { id: 'kitchen', name: 'Kitchen', line: 'Heavy-bottomed, slow-cooling company for every day.' },
  { id: 'garden', name: 'Garden', line: 'Tools and pots that look better with a little soil on them.' },
]

/** @type {Product[]} */
export const products = [
  {
    id: 'tent',
    category: 'camp',
    name: 'Larkfield Tent',
    price: 289,
    line: 'Room for two, up in four minutes.',
    about: 'A three-season tent with a wide door, a porch for muddy boots and poles that only fit the right way round.',
    details: ['Sleeps two', '2.4 kg packed', 'Waterproof to 3,000 mm'],
  },
  {
    id: 'lantern',
    category: 'camp',
    name: 'Ember Lantern',
    price: 59,
    line: 'A warm light that dims to a glow.',
    about: 'Turns from reading light to campfire glow with one dial, and charges your phone when the night gets long.',
    details: ['60 hours on low', 'Charges by USB-C', 'Shrugs off rain'],
  },
  {
    id: 'chair',
    category: 'camp',
    name: 'Drift Camp Chair',
    price: 84,
    line: 'Sits low, packs flat, stays put.',
    about:
      'Heavy cotton on a folding ash-brown frame, with armrests wide enough for a mug. Indoors it gets borrowed, too.',
    details: ['Carries 130 kg', 'Folds to 12 cm', 'Washable cover'],
  },
  {
    id: 'pack',
    category: 'trail',
    name: 'Ridgeway Pack 28',
    price: 149,
    line: 'One day, or two if you pack cleverly.',
    about: 'Twenty-eight litres, a back that breathes and exactly four pockets, each where your hand looks for it.',
    details: ['28 litres', '940 g', 'Rain cover included'],
  },
  {
    id: 'boots',
    category: 'trail',
    name: 'Scree Boots',
    price: 179,
    line: 'Sure on wet rock, soft from day one.',
    about: 'A stiff sole under a supple upper. They can be resoled twice, so the first pair may be the last for years.',
    details: ['Waterproof leather', 'Can be resoled', 'Sizes 36 to 47'],
  },
  {
    id: 'bottle',
    category: 'trail',
    name: 'Beck Bottle',
    price: 34,
    line: 'Cold all day, hot until lunch.',
    about: 'Double-walled steel with a lid you can open in gloves and a mouth wide enough to clean.',
    details: ['700 ml', 'Stainless steel', 'Fits every side pocket'],
  },
  {
    id: 'kettle',
    category: 'kitchen',
    name: 'Whistle Kettle',
    price: 68,
    line: 'Two notes, never shrill.',
    about: 'Enamelled steel with a cool wooden grip. It sings in thirds when the water boils, and works on any hob.',
    details: ['1.8 litres', 'All hobs, induction too', 'Beech handle'],
  },
  {
    id: 'pot',
    category: 'kitchen',
    name: 'Hearth Dutch Oven',
    price: 129,
    line: 'Bread, stew and everything between.',
    about:
      'Cast iron under two coats of honey enamel. Goes from flame to oven to table, and on to the next generation.',
    details: ['4.7 litres', 'Oven-safe to 260 °C', 'Made to be handed on'],
  },
  {
    id: 'mugs',
    category: 'kitchen',
    name: 'Slate Mug Pair',
    price: 32,
    line: 'Two thirds coffee, one third ritual.',
    about: 'Stoneware with a glaze that runs a little differently each time, so you always know which one is yours.',
    details: ['Set of two', '350 ml each', 'Dishwasher-safe'],
  },
  {
    id: 'can',
    category: 'garden',
    name: 'Rill Watering Can',
    price: 46,
    line: 'A gentle rain, exactly where you aim.',
    about: 'Balanced to pour with one hand. The brass rose comes off for seedlings that want a quieter drink.',
    details: ['6 litres', 'Galvanised steel', 'Removable rose'],
  },
  {
    id: 'planter',
    category: 'garden',
    name: 'Clay Planter',
    price: 38,
    line: 'Breathes, drains, ages beautifully.',
    about: 'Thrown from frost-proof clay with a saucer that fits. The patina is yours to grow.',
    details: ['24 cm wide', 'Frost-proof', 'With saucer'],
  },
  {
    id: 'tools',
    category: 'garden',
    name: 'Furrow Tool Pair',
    price: 42,
    line: 'A trowel and a fork that belong together.',
    about: 'Forged in one piece and set in painted ash, with a hole to hang them where you will actually find them.',
    details: ['Forged steel', 'Ash handles', 'Hang by the door'],
  },
]

/** The category with this id, or undefined. @param {string | null} id */
export const findCategory = id => categories.find(category => category.id === id)

/** The product with this id, or undefined. @param {string | null} id */
export const findProduct = id => products.find(product => product.id === id)

/** The products of a category, in shop order. @param {string} categoryId */
export const productsIn = categoryId => products.filter(product => product.category === categoryId)

const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: CURRENCY, minimumFractionDigits: 0 })

/** An amount as the shop writes it: 289 → "$289". @param {number} amount */
export const formatPrice = amount => money.format(amount)

/**
 * A product as events carry it, with Segment's names.
 * @param {Product} product
 */
export const productProperties = product => ({
  product_id: product.id,
  name: product.name,
  category: product.category,
  price: product.price,
  currency: CURRENCY,
})
