// @ts-check
import { productCard } from './cards.js'
import { byId } from './dom.js'
import { products } from './products.js'
import './shell.js'

byId('all-products').append(...products.map(productCard))
