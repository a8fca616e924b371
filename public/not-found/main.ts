/** This page has looks and no behaviour. */
import '../signin/signin.css'
